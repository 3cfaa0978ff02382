#include "thread_group.hpp"

#include <algorithm>

#if defined(__linux__)
#include <sched.h>
#endif

namespace bench {

unsigned cores() noexcept {
  static const unsigned counted = std::max(1U, std::thread::hardware_concurrency());
  return counted;
}

void stay_on(unsigned core) noexcept {
#if defined(__linux__)
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(core % cores(), &only);
  sched_setaffinity(0, sizeof only, &only);  // where it is refused, the kernel chooses
#else
  (void)core;
#endif
}

void roam() noexcept {
#if defined(__linux__)
  cpu_set_t all;
  CPU_ZERO(&all);
  for (unsigned core = 0; core < cores(); ++core) CPU_SET(core, &all);
  sched_setaffinity(0, sizeof all, &all);
#endif
}

thread_group::thread_group(unsigned threads, sender send_some) : send_some_(std::move(send_some)) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this, i] { work(i); });
}

thread_group::~thread_group() {
  over_ = true;
  ++woken_;
  woken_.notify_all();
  for (std::thread& each : threads_) each.join();
}

void thread_group::wake() {
  left_ = static_cast<unsigned>(threads_.size());
  awake_ = 0;
  ++woken_;
  woken_.notify_all();
  while (awake_ < threads_.size()) std::this_thread::yield();
}

void thread_group::send(std::uint64_t messages) {
  share_ = messages / threads_.size();
  ++sent_;
  for (unsigned left = left_; left > 0; left = left_) left_.wait(left);
}

void thread_group::work(unsigned number) {
  stay_on(number);
  for (unsigned last = 0;; ++last) {
    woken_.wait(last);
    if (over_) return;
    ++awake_;
    while (sent_ == last) std::this_thread::yield();
    const std::uint64_t allocated = allocations_here();
    const std::uint64_t handled = handled_here;
    send_some_(number, share_);
    handled_ += handled_here - handled;
    add_allocations(allocations_here() - allocated);
    if (--left_ == 0) left_.notify_one();
  }
}

}  // namespace bench
