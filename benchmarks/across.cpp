#include "across.hpp"

#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void patience::wait() noexcept {
  constexpr unsigned pauses = 64;
  if (waited_ < pauses) {
    ++waited_;
    pause();
  } else {
    std::this_thread::yield();
  }
}

void idle() noexcept { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

tally::~tally() {
  if (count_ != goal_) fail("once all were done");
}

void tally::fail(const char* when) const noexcept {
  std::fprintf(stderr, "\n%llu were handled of %llu, %s\n",
               static_cast<unsigned long long>(count_.load()),
               static_cast<unsigned long long>(goal_.load()), when);
  std::_Exit(1);
}

void tally::wait() const noexcept {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds long_enough{10};
  patience with;
  std::uint64_t last = count();
  auto deadline = clock::now() + long_enough;
  for (unsigned i = 1; reached_.load(std::memory_order_acquire) != goal_; ++i) {
    with.wait();
    // Neither the clock nor the line of the counter is looked at often.
    if (i % 4096 != 0 || clock::now() < deadline) continue;
    if (count() == last) fail("and no more of them for 10 s");
    last = count();
    deadline = clock::now() + long_enough;
  }
}

void tally::arrived() noexcept {
  arrival_ = std::chrono::steady_clock::now();
  const std::uint64_t now = allocations_here();
  add_allocations(now - std::exchange(allocated_, now));
  reached_.store(count_.load(std::memory_order_relaxed), std::memory_order_release);
}

looker::looker(unsigned core, const tally& count, std::function<void()> look)
    : core_(core), count_(count), look_(std::move(look)), thread_([this] { work(); }) {}

looker::~looker() {
  over_ = true;
  ++woken_;
  woken_.notify_one();
  thread_.join();
}

void looker::wake() {
  const unsigned now = ++woken_;
  woken_.notify_one();
  while (awake_ != now) std::this_thread::yield();
}

void looker::work() {
  stay_on(core_);
  for (unsigned seen = 0;;) {
    woken_.wait(seen);
    seen = woken_;
    awake_ = seen;
    if (over_) return;
    while (!count_.is_due() && !over_) std::this_thread::yield();
    while (count_.is_due()) look_();
  }
}

}  // namespace bench
