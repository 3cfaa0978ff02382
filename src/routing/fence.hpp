#pragma once

/// The fence of writers, with which readers need none.

#include <atomic>
#include <cstdint>
#include <mutex>

namespace msgbus::routing::guarding {

/// Shares an expensive fence among callers: one fence serves every caller that came before it
/// began. Callers that come during a fence wait for its end, and then share the next one.
class shared_fence {
 public:
  using call = void (*)();

  constexpr explicit shared_fence(call fence) noexcept : fence_(fence) {}
  shared_fence(const shared_fence&) = delete;
  shared_fence& operator=(const shared_fence&) = delete;

  /// During the call, one complete fence runs. It orders everything that the caller did before.
  void pass() noexcept;

  /// The number of callers that wait for another caller's fence.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.load(std::memory_order_relaxed);
  }

 private:
  const call fence_;
  std::mutex mutex_;
  std::uint64_t begun_ = 0;  // fences; under the lock, as are the next two
  std::uint64_t ended_ = 0;
  bool runs_ = false;
  std::atomic<unsigned> changed_{0};  // the number of ended fences; callers wait on it
  std::atomic<std::size_t> waiting_{0};
};

/// Whether a writer can make every other thread pass a full fence, so that readers need none.
/// Decided once, by the first call.
[[nodiscard]] bool writers_fence();

/// During the call, every other thread of the process passes a full fence if `writers_fence()`;
/// otherwise only this thread does. Concurrent writers share the system call.
void writer_fence();

}  // namespace msgbus::routing::guarding
