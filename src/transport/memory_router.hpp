#pragma once

// The subscriptions of the memory transport. Pure: no threads.

#include "transport/names.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::transport::memory {

/// Finds the subscriptions that receive a message: all that match and have no group, and one member
/// of each group, in turn.
class memory_router {
 public:
  using subscription_id = std::uint64_t;
  using connection_id = std::uint64_t;

  /// A new id is greater than all earlier ones.
  void add(subscription_id id, connection_id of, std::string pattern, std::string group) {
    all_.emplace(id, one{of, std::move(pattern), std::move(group)});
  }

  void remove(subscription_id id) {
    const auto found = all_.find(id);
    if (found == all_.end()) return;
    const std::string group = std::move(found->second.group);
    all_.erase(found);
    if (group.empty()) return;
    for (const auto& [other, each] : all_) {
      if (each.group == group) return;
    }
    turns_.erase(group);
  }

  /// In the order of subscription, first those without a group. Only connections for which
  /// `may_get(connection_id)` is true.
  template <class MayGet>
  [[nodiscard]] std::vector<subscription_id> route(std::string_view topic, MayGet may_get) {
    std::vector<subscription_id> found;
    std::map<std::string_view, std::vector<subscription_id>> groups;
    for (const auto& [id, each] : all_) {
      if (!pattern_matches(each.pattern, topic) || !may_get(each.connection)) continue;
      if (each.group.empty()) {
        found.push_back(id);
      } else {
        groups[each.group].push_back(id);
      }
    }
    for (const auto& [group, members] : groups) {
      found.push_back(members[turns_[std::string(group)]++ % members.size()]);
    }
    return found;
  }

 private:
  struct one {
    connection_id connection;
    std::string pattern;
    std::string group;
  };

  std::map<subscription_id, one> all_;
  std::map<std::string, std::size_t> turns_;
};

}  // namespace msgbus::transport::memory
