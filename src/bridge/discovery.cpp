#include "bridge/discovery.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

namespace msgbus::bridging {

namespace {

using nlohmann::json;

bool stays(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

std::string word_of(discovery_verb verb) {
  switch (verb) {
    case discovery_verb::ping: return "PING";
    case discovery_verb::info: return "INFO";
    case discovery_verb::stats: break;
  }
  return "STATS";
}

/// RFC 3339, in UTC.
std::string written(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

json identity(const service_info& service, const char* type) {
  return {{"type", type},
          {"name", service.name},
          {"id", service.id},
          {"version", service.version},
          {"metadata", json::object()}};
}

}  // namespace

std::vector<std::string> discovery_topics(discovery_verb verb, std::string_view service,
                                          std::string_view id) {
  const std::string all = "$SRV." + word_of(verb);
  const std::string named = all + "." + std::string(service);
  return {all, named, named + "." + std::string(id)};
}

std::string discovery_answer(discovery_verb verb, const service_info& service) {
  json answer;
  switch (verb) {
    case discovery_verb::ping: answer = identity(service, "io.nats.micro.v1.ping_response"); break;
    case discovery_verb::info:
      answer = identity(service, "io.nats.micro.v1.info_response");
      answer["description"] = service.description;
      answer["endpoints"] = json::array();
      for (const endpoint_info& each : service.endpoints) {
        answer["endpoints"].push_back({{"name", each.name},
                                       {"subject", each.subject},
                                       {"queue_group", each.queue_group},
                                       {"metadata", json::object()}});
      }
      break;
    case discovery_verb::stats:
      answer = identity(service, "io.nats.micro.v1.stats_response");
      answer["started"] = written(service.started);
      answer["endpoints"] = json::array();
      for (const endpoint_info& each : service.endpoints) {
        const auto total = each.stats.processing.count();
        const auto requests = static_cast<std::int64_t>(each.stats.requests);
        answer["endpoints"].push_back(
            {{"name", each.name},
             {"subject", each.subject},
             {"queue_group", each.queue_group},
             {"num_requests", each.stats.requests},
             {"num_errors", each.stats.errors},
             {"last_error", each.stats.last_error},
             {"processing_time", total},
             {"average_processing_time", requests == 0 ? 0 : total / requests}});
      }
      break;
  }
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string service_name(std::string_view prefix) {
  std::string name(prefix);
  std::replace_if(name.begin(), name.end(), [](char c) { return !stays(c); }, '-');
  return name;
}

bool is_service_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), &stays);
}

}  // namespace msgbus::bridging
