#pragma once

/// The fences of writers, so that readers need none.

#include <atomic>
#include <cstdint>
#include <mutex>

namespace msgbus::snapshot::detail {

/// Makes a dear call that serves every caller which came before it began. Callers that come while
/// one runs wait for its end, and then share the next one.
class shared_fence {
 public:
  using call = void (*)();

  constexpr explicit shared_fence(call dear) noexcept : dear_(dear) {}
  shared_fence(const shared_fence&) = delete;
  shared_fence& operator=(const shared_fence&) = delete;

  /// Between the call and the return, one dear call begins and ends. What the caller did before is
  /// seen by that call.
  void pass() noexcept;

  /// How many callers wait for a call that another one makes.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.load(std::memory_order_relaxed);
  }

 private:
  const call dear_;
  std::mutex mutex_;
  std::uint64_t begun_ = 0;  // dear calls; under the lock, as are the next two
  std::uint64_t ended_ = 0;
  bool runs_ = false;
  std::atomic<unsigned> changed_{0};  // how often a call has ended; those who wait look here
  std::atomic<std::size_t> waiting_{0};
};

/// Whether a writer can make every other thread pass a full fence, so that readers need none.
/// Decided once, by the first call.
[[nodiscard]] bool writers_fence();

/// Between the call and the return every other thread of the process passes a full fence, if
/// `writers_fence()`; otherwise only this one does. Writers that call it at once share the system
/// call.
void writer_fence();

}  // namespace msgbus::snapshot::detail
