#pragma once

// The messages of a destination with keys: a line for each key, whose first message is on its way
// while the others wait. Pure: no database, no thread. docs/design/0028 has the states.

#include <msgbus/detail/exec/key_order.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace msgbus::durable::detail {

class key_lines {
 public:
  /// A message that is in memory.
  struct entry {
    std::int64_t seq = 0;
    std::int64_t attempts = 0;
    exec::shared_message message = {};
  };

  /// Keeps about so many waiting messages. Of those that come when there are as many, and must
  /// wait, only the position is kept: one slow key takes no memory from the others.
  explicit key_lines(std::size_t most_waiting) noexcept : most_(most_waiting) {}

  /// Moves a message behind the others of its key, in the order of commits. False: only its
  /// position is kept, and a load brings it again.
  [[nodiscard]] bool add(exec::keyed_ptr key, entry& added);

  [[nodiscard]] bool is_any_ready() const noexcept { return !ready_.empty(); }
  /// A message that is the first of its line. It is on its way until `done`.
  [[nodiscard]] std::optional<entry> take();
  [[nodiscard]] bool is_on_its_way(std::int64_t seq) const { return on_their_way_.contains(seq); }
  /// The hash of its key, for the file.
  [[nodiscard]] std::size_t hash_of(std::int64_t seq) const;
  /// It has left the file, or will: the next one of its line can go.
  void done(std::int64_t seq);

  /// Whether only the position of this message is here.
  [[nodiscard]] bool knows_position(std::int64_t seq) const { return positions_.contains(seq); }
  /// The positions that are wanted next, in order. The caller sees to it that each is added or
  /// forgotten, or that `load_failed` is called.
  [[nodiscard]] std::vector<std::int64_t> begin_load(std::size_t most);
  [[nodiscard]] bool wants_load() const noexcept { return !to_load_.empty(); }
  /// The file has no such message any more.
  void forget(std::int64_t seq);
  void load_failed(const std::vector<std::int64_t>& wanted);

  /// Takes out the messages that wait. Nothing is added or taken after that.
  [[nodiscard]] std::vector<entry> end();

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t lines() const noexcept { return lines_.size(); }

 private:
  struct line {
    bool is_busy = false;  // its first message is on its way
    bool is_loading = false;
    bool wants_load = false;  // it is among those to load
    std::deque<entry> waits = {};
    std::deque<std::int64_t> positions = {};  // of later ones, which are in the file only
  };
  struct key_hash {
    std::size_t operator()(const exec::keyed_ptr& key) const noexcept { return key->hash(); }
  };
  struct same_key {
    bool operator()(const exec::keyed_ptr& a, const exec::keyed_ptr& b) const {
      return a->is_same_key(*b);
    }
  };
  using all_lines = std::unordered_map<exec::keyed_ptr, line, key_hash, same_key>;
  using line_of_key = all_lines::value_type;

  void next_of(line_of_key& in);
  void remove_position(std::int64_t seq);

  const std::size_t most_;
  std::size_t waiting_ = 0;
  all_lines lines_;                                              // none is empty and idle
  std::unordered_map<std::int64_t, line_of_key*> on_their_way_;  // by position
  std::unordered_map<std::int64_t, line_of_key*> positions_;     // of messages in the file only
  std::deque<line_of_key*> ready_;                               // idle, with a message that waits
  std::deque<line_of_key*> to_load_;                             // idle, with positions only
};

}  // namespace msgbus::durable::detail
