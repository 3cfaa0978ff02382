#pragma once

/// What waits to be written to one client, in order. Replies are never dropped: whoever adds them
/// asks for `room()` first. Notices are: when there are too many, the oldest goes, is counted, and
/// the client is told in its place. Thread-safe.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace exchange {

class outbox {
 public:
  struct limits {
    std::size_t notices = 1024;
    std::size_t reply_bytes = 64 * 1024;
  };
  struct totals {
    std::uint64_t added = 0;
    std::uint64_t dropped = 0;  // of those
  };

  outbox() : outbox(limits()) {}
  explicit outbox(const limits& most) : limits_(most) {}

  /// Returns how many bytes of replies wait.
  std::size_t add_reply(std::string line);
  /// Returns whether the writer found nothing last time, and must be told.
  [[nodiscard]] bool add_notice(std::shared_ptr<const std::string> line);

  /// Whether there is room for one more reply.
  [[nodiscard]] bool room() const;

  /// Moves lines to `batch`, about `bytes` of them. False if there are none: then the writer must
  /// be told of the next notice.
  [[nodiscard]] bool take(std::string& batch, std::size_t bytes);

  /// How many notices there were.
  [[nodiscard]] totals notices() const;

 private:
  struct reply {
    std::uint64_t place;
    std::string line;
  };
  struct notice {
    std::uint64_t place;
    std::shared_ptr<const std::string> line;  // shared by all who follow
  };

  void tell_dropped(std::string& batch);

  limits limits_;
  mutable std::mutex mutex_;
  std::deque<reply> replies_;
  std::deque<notice> notices_;
  std::uint64_t last_place_ = 0;
  std::size_t reply_bytes_ = 0;
  std::uint64_t untold_ = 0;  // dropped since the client was last told
  totals totals_;
  bool idle_ = true;
};

}  // namespace exchange
