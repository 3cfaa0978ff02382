#pragma once

/// What became of each message of a soak, by its number.

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// One bit for each number. Its memory is there from the beginning, so that it does not show as
/// growth. One thread sets, any thread reads.
class bits {
 public:
  explicit bits(std::size_t count) : words_((count + 63) / 64) {}

  /// Gives whether it was set before.
  bool set(std::uint64_t number) noexcept {
    std::atomic<std::uint64_t>& word = words_[number / 64];
    const std::uint64_t mask = std::uint64_t{1} << (number % 64);
    const std::uint64_t before = word.load(std::memory_order_relaxed);
    word.store(before | mask, std::memory_order_relaxed);
    return (before & mask) != 0;
  }
  /// Of those that are set here, how many are not set in the other one.
  [[nodiscard]] std::uint64_t missing_in(const bits& other) const noexcept {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      count += static_cast<std::uint64_t>(std::popcount(words_[i] & ~other.words_[i]));
    }
    return count;
  }

 private:
  std::vector<std::atomic<std::uint64_t>> words_;
};

/// Where messages were stored when they were handled first, of the last million numbers.
class recent_places {
 public:
  void set(std::uint64_t number, std::uint64_t place) noexcept {
    places_[number % places_.size()] = {number, place};
  }
  /// 0 if it is not known any more.
  [[nodiscard]] std::uint64_t find(std::uint64_t number) const noexcept {
    const entry& found = places_[number % places_.size()];
    return found.number == number ? found.place : 0;
  }

 private:
  struct entry {
    std::uint64_t number = 0;
    std::uint64_t place = 0;
  };
  std::vector<entry> places_ = std::vector<entry>(1 << 20);
};

/// The messages of one side to the other. The sender's members are written on its thread, the
/// receiver's on the other one.
struct soak_direction {
  explicit soak_direction(std::size_t count)
      : capacity(count), stored_bits(count), handled_bits(count), live_bits(count) {}

  const std::uint64_t capacity;

  // Durable, by the sender:
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> stored{0};   // `store` said so
  std::atomic<std::uint64_t> unknown{0};  // `store` has failed: it may have been stored
  bits stored_bits;
  // Durable, by the receiver:
  std::atomic<std::uint64_t> handled{0};        // each counted once
  std::atomic<std::uint64_t> again{0};          // handled again, in a redelivery
  std::atomic<std::uint64_t> untold{0};         // handled again, and not said to be redelivered
  std::atomic<std::uint64_t> places_differ{0};  // handled again from another place: stored twice
  bits handled_bits;
  recent_places places;
  // Live, by the sender and by the receiver:
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> live_twice{0};
  bits live_bits;
};

}  // namespace bench
