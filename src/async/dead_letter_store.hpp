#pragma once

/// The store behind `dead_letters`, with the data for replays.

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/detail/async/attempts.hpp>
#include <msgbus/detail/exec/queued_message.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace msgbus::async::detail {

/// Thread-safe. States of a letter: kept -> replaying -> gone, or kept again.
class dead_letter_store {
 public:
  explicit dead_letter_store(dead_letter_options options);

  /// A dead letter with its message. It refers to the handler by its order, without keeping it
  /// alive.
  struct kept_letter {
    dead_letter entry;
    exec::shared_message message;
    std::weak_ptr<component_core> component;
    std::uint64_t handler = 0;  // its `order`
    bool replaying = false;
  };

  void add(kept_letter added);

  [[nodiscard]] std::vector<dead_letter> snapshot() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] dead_letter_counters stats() const;

  /// The dead letter, for its replay; empty if it was removed, or if another call replays it.
  [[nodiscard]] std::optional<kept_letter> begin_replay(std::uint64_t id);
  void end_replay(std::uint64_t id, bool has_gone) noexcept;

  bool discard(std::uint64_t id) noexcept;

  /// For a monitor, which asks often.
  struct listed_letter {
    dead_letter entry;
    std::string component = {};  // its name; empty: it was destroyed, or has none
    bool has_component = false;
    bool replaying = false;
  };
  struct view {
    std::size_t kept = 0;
    dead_letter_counters counts = {};
    std::map<const void*, std::size_t> by_component = {};  // those that exist
    std::vector<listed_letter> newest = {};                // first
  };
  [[nodiscard]] view look(std::size_t most) const;

 private:
  using letters = std::map<std::uint64_t, kept_letter>;
  [[nodiscard]] letters::iterator oldest_that_rests() noexcept;

  const dead_letter_options options_;
  mutable std::mutex mutex_;
  letters letters_;
  std::uint64_t next_id_ = 0;
  dead_letter_counters counts_;
};

/// Keeps the message of a run that has finally failed.
struct letter_access {
  [[nodiscard]] static dead_letter_store::view look(const dead_letters& at, std::size_t most);
  static void add(dead_letters& to, const handler_run& run, std::size_t attempts,
                  const failures& failed);
};

}  // namespace msgbus::async::detail
