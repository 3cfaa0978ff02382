#pragma once

/// The discovery replies of a served service, in the service protocol of NATS (`$SRV.PING`,
/// `.INFO`, `.STATS`), as other NATS tools expect. Pure: from figures to JSON.

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

/// The topics of a verb: for all services, for those of this name, for this one.
[[nodiscard]] std::vector<std::string> discovery_topics(discovery_verb verb,
                                                        std::string_view service,
                                                        std::string_view id);

[[nodiscard]] std::string discovery_answer(discovery_verb verb, const service_info& service);

/// The name of a service has only letters, digits, `-` and `_`.
[[nodiscard]] std::string service_name(std::string_view prefix);
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;

}  // namespace msgbus::bridging
