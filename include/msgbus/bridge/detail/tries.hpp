#pragma once

/// What a link has seen become of messages that are not done yet. Pure; for one thread at a time.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace msgbus::bridging {

/// What this link has seen become of one message.
struct message_tries {
  unsigned failures = 0;     ///< a handler failed, or none took it
  unsigned handed_back = 0;  ///< without a handler having failed
  std::string reason = {};   ///< it is given up for this, and its dead letter is not stored yet
  bool came_before = false;  ///< to this link, whatever the stream says of its deliveries

  /// Which attempt a delivery is: 1 if no handler can have run for the message before. `times` is
  /// how often it has been delivered, this time included; other processes may have handled it.
  [[nodiscard]] unsigned attempt(unsigned times) const noexcept;

  /// How many earlier deliveries have ended in a way that this link has not seen.
  [[nodiscard]] unsigned unseen(unsigned times) const noexcept;
};

/// Counts tries by a message's place in its stream. Since a stream may be deleted and made again,
/// `of` tells messages of the same place apart: it is what `message_digest` gives. Keeps no more
/// than `most`; then the oldest place is forgotten, so that the messages that come after it are
/// given up some day, and leave room for it.
class tries {
 public:
  static constexpr std::size_t most_by_default = std::size_t{16} * 1024;

  explicit tries(std::size_t most = most_by_default) noexcept : most_(most) {}

  [[nodiscard]] bool empty() const noexcept { return known_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return known_.size(); }
  [[nodiscard]] bool knows(std::uint64_t sequence) const noexcept {
    return known_.find(sequence) != known_.end();
  }

  [[nodiscard]] message_tries find(std::uint64_t sequence, std::uint64_t of) const;

  /// Each gives how often that has happened, this time included.
  unsigned failed(std::uint64_t sequence, std::uint64_t of);
  unsigned handed_back(std::uint64_t sequence, std::uint64_t of);

  /// It is to become a dead letter when it comes again.
  void set_reason(std::uint64_t sequence, std::uint64_t of, std::string reason);

  /// It is done, or does not come again.
  void forget(std::uint64_t sequence) noexcept { known_.erase(sequence); }

 private:
  struct entry {
    std::uint64_t of = 0;
    message_tries seen;
  };
  template <class Change>
  auto change(std::uint64_t sequence, std::uint64_t of, Change how);

  const std::size_t most_;
  std::map<std::uint64_t, entry> known_;
};

}  // namespace msgbus::bridging
