#pragma once

/// The replies that are waited for, by their numbers. Pure: no lock, no time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace msgbus::transport {

/// States: open -> ended. A reply is waiting (in the table) -> taken, by the first taker.
template <class Reply>
class pending_replies {
 public:
  using pointer = std::shared_ptr<Reply>;

  /// The replies of a slot are numbered from the one after `first_turn`.
  explicit pending_replies(std::uint32_t first_turn = 0) noexcept : first_turn_(first_turn) {}

  /// Gives its number, which comes again after 2^32 more replies in its slot. 0: it has ended, and
  /// nothing is added.
  [[nodiscard]] std::uint64_t add(const pointer& added) {
    if (ended_) return 0;
    if (first_free_ == slots_.size()) {
      slots_.emplace_back().turn = first_turn_;
      slots_.back().next_free = static_cast<std::uint32_t>(slots_.size());
    }
    const std::uint32_t at = first_free_;
    slot& one = slots_[at];
    first_free_ = one.next_free;
    one.waiting = added;
    if (++one.turn == 0) ++one.turn;  // 0 is no number
    ++size_;
    return number_of(at, one.turn);
  }

  /// Null if it was taken, or was never there.
  [[nodiscard]] pointer take(std::uint64_t number) noexcept {
    const auto at = static_cast<std::uint32_t>(number);
    if (at >= slots_.size() || number != number_of(at, slots_[at].turn)) return nullptr;
    return take_from(at);
  }
  [[nodiscard]] std::vector<pointer> take_all() {
    std::vector<pointer> all;
    all.reserve(size_);
    for (std::uint32_t at = 0; at < slots_.size(); ++at) {
      if (auto taken = take_from(at)) all.push_back(std::move(taken));
    }
    return all;
  }
  void end() noexcept { ended_ = true; }

  [[nodiscard]] bool has_ended() const noexcept { return ended_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  /// A slot for one reply at a time. The number is the slot, and how many it has had.
  struct slot {
    pointer waiting;  // null: it is free
    std::uint32_t turn = 0;
    std::uint32_t next_free = 0;
  };
  static std::uint64_t number_of(std::uint32_t at, std::uint32_t turn) noexcept {
    return (std::uint64_t{turn} << 32) | at;
  }
  pointer take_from(std::uint32_t at) noexcept {
    slot& one = slots_[at];
    if (!one.waiting) return nullptr;
    one.next_free = std::exchange(first_free_, at);
    --size_;
    return std::move(one.waiting);
  }

  const std::uint32_t first_turn_;
  std::vector<slot> slots_;
  std::uint32_t first_free_ = 0;  // `slots_.size()`: none is free
  std::size_t size_ = 0;
  bool ended_ = false;
};

}  // namespace msgbus::transport
