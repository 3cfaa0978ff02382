#pragma once

/// The outcomes that a link has seen for unfinished messages. Pure; for one thread at a time.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace msgbus::bridging {

/// The outcomes that this link has seen for one message.
struct message_tries {
  unsigned failures = 0;     ///< a handler failed, or none accepted it
  unsigned handed_back = 0;  ///< returned without a failure
  std::string reason = {};   ///< set if it is given up, and its dead letter is not stored yet
  bool came_before = false;  ///< this link had it before, whatever the stream counts

  /// The number of the attempt: 1 if no handler can have run for the message before. `times` counts
  /// its deliveries, with this one; other processes may have handled it.
  [[nodiscard]] unsigned attempt(unsigned times) const noexcept;

  /// The number of earlier deliveries whose outcome this link has not seen.
  [[nodiscard]] unsigned unseen(unsigned times) const noexcept;
};

/// Counts attempts by sequence. A stream may be deleted and created again, so `of` distinguishes
/// messages with the same sequence (see `message_digest`). Keeps at most `most`; then the oldest is
/// forgotten, so that later messages are also given up some day and leave space.
class tries {
 public:
  static constexpr std::size_t most_by_default = std::size_t{16} * 1024;

  explicit tries(std::size_t most = most_by_default) noexcept : most_(most) {}

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool knows(std::uint64_t sequence) const noexcept {
    return entries_.find(sequence) != entries_.end();
  }

  [[nodiscard]] message_tries find(std::uint64_t sequence, std::uint64_t of) const;

  /// Each returns the number of such outcomes, with this one.
  unsigned failed(std::uint64_t sequence, std::uint64_t of);
  unsigned handed_back(std::uint64_t sequence, std::uint64_t of);

  /// It becomes a dead letter on its next delivery.
  void set_reason(std::uint64_t sequence, std::uint64_t of, std::string reason);

  /// It is done, or is not delivered again.
  void forget(std::uint64_t sequence) noexcept { entries_.erase(sequence); }

 private:
  struct entry {
    std::uint64_t of = 0;
    message_tries seen;
  };
  template <class Change>
  auto change(std::uint64_t sequence, std::uint64_t of, Change change);

  const std::size_t most_;
  std::map<std::uint64_t, entry> entries_;
};

}  // namespace msgbus::bridging
