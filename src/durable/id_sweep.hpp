#pragma once

// Forgets the ids of handled messages, some at a time. For the writer thread. docs/design/0028.
//
// An id whose message is still in the outbox stays. There is no index for that: the outbox is read
// from its beginning to its end, in slices, for many ids at once. A message that changes its
// position meanwhile moves behind all others, so it is not missed.

#include "durable/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace msgbus::durable::detail {

class id_sweep {
 public:
  explicit id_sweep(std::string prefix) : prefix_(std::move(prefix)) {}

  /// A step, inside of a transaction: looks at so many ids whose time has passed, or at so many
  /// messages. False: all ids have been looked at, and the next step begins anew.
  [[nodiscard]] bool step(connection& in, std::int64_t now, std::size_t many_ids,
                          std::size_t many_messages);

 private:
  struct key {
    std::int64_t keep_until = 0;
    std::string id = {};
    std::string consumer = {};
  };

  void read_ids(connection& in, std::int64_t now, std::size_t many);
  /// False: there are more messages.
  [[nodiscard]] bool look_at_messages(connection& in, std::size_t many);
  /// Forgets so many ids. False: there are more, for a later step, which first looks at messages
  /// that were added meanwhile.
  [[nodiscard]] bool forget_rest(connection& in, std::size_t many);

  const std::string prefix_;
  key last_;                                                       // that was looked at
  std::unordered_map<std::string, std::vector<std::string>> ids_;  // with their consumers
  std::int64_t messages_up_to_ = 0;
  bool is_last_part_ = false;
};

}  // namespace msgbus::durable::detail
