#include <msgbus/detail/bridge/event_types.hpp>

#include <msgbus/error.hpp>

#include <algorithm>

namespace msgbus::bridging {

void check_topics_differ(const std::vector<event_type>& types,
                         const std::vector<event_type>& others) {
  for (const event_type& one : types) {
    for (const event_type& other : others) {
      if (one.topic != other.topic || one.name == other.name) continue;
      throw error(errc::bad_arguments,
                  "events of the types '" + std::string(one.name) + "' and '" +
                      std::string(other.name) + "' have the same topic, '" + one.topic +
                      "': give one of them another name (msgbus::name_of) or prefix");
    }
  }
}

std::vector<std::string> topics_of(const std::vector<event_type>& types) {
  std::vector<std::string> topics;
  for (const event_type& each : types) {
    if (std::find(topics.begin(), topics.end(), each.topic) == topics.end()) {
      topics.push_back(each.topic);
    }
  }
  return topics;
}

}  // namespace msgbus::bridging
