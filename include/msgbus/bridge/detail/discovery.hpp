#pragma once

/// What a served service says of itself, in NATS's service protocol (`$SRV.PING`, `.INFO`,
/// `.STATS`), as other NATS tools expect. Pure: from figures to JSON.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::bridging {

struct endpoint_stats {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::string last_error;
  std::chrono::nanoseconds processing{};
};

struct endpoint_info {
  std::string name;
  std::string subject;
  std::string queue_group;
  endpoint_stats stats;
};

struct service_info {
  std::string name;
  std::string id;
  std::string version;
  std::string description;
  std::chrono::system_clock::time_point started;
  std::vector<endpoint_info> endpoints;
};

enum class discovery_verb { ping, info, stats };

/// The topics at which a service answers the verb: all services, those of its name, it alone.
[[nodiscard]] std::vector<std::string> discovery_topics(discovery_verb verb,
                                                        std::string_view service,
                                                        std::string_view id);

[[nodiscard]] std::string discovery_answer(discovery_verb verb, const service_info& service);

/// A service's name has letters, digits, `-` and `_` only.
[[nodiscard]] std::string service_name(std::string_view prefix);
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;

}  // namespace msgbus::bridging
