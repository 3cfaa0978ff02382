#include "harness.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>

#include <unistd.h>

namespace {

constinit thread_local std::uint64_t allocated_here = 0;
constinit std::atomic<std::uint64_t> allocated_elsewhere{0};

void* counted(std::size_t size) {
  ++allocated_here;
  if (void* const block = std::malloc(size > 0 ? size : 1)) return block;
  throw std::bad_alloc();
}

void* counted(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  if (void* const block = std::aligned_alloc(align, (size + align - 1) / align * align)) {
    return block;
  }
  throw std::bad_alloc();
}

}  // namespace

// What Asio calls for its operations and for the frames of its coroutines.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++allocated_here;
  void* block = nullptr;
  return posix_memalign(&block, std::max(alignment, sizeof(void*)), size) == 0 ? block : nullptr;
}

// The other forms of the standard library call these.
void* operator new(std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, alignment);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace bench {

std::uint64_t allocations_here() noexcept { return allocated_here; }

void add_allocations(std::uint64_t count) noexcept {
  allocated_elsewhere.fetch_add(count, std::memory_order_relaxed);
}

double row::at(double quantile) const {
  if (each) return each->at(quantile);
  if (ns.empty()) return std::nan("");
  const double place = quantile * static_cast<double>(ns.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const auto high = std::min(low + 1, ns.size() - 1);
  return ns[low] + (place - static_cast<double>(low)) * (ns[high] - ns[low]);
}

namespace {

using clock = std::chrono::steady_clock;

/// A contender that is set up, with the number of messages that fills a sample.
class runner {
 public:
  explicit runner(const contender& what) : what_(what), running_(what.make()) {}

  void calibrate(double sample_ms) {
    for (std::uint64_t messages = what_.threads;; messages *= 2) {
      // Not the first of its kind, which is slow.
      if (time(messages) < 0.5 * sample_ms * 1e6) continue;
      const double elapsed = time(messages);
      const double wanted = static_cast<double>(messages) * sample_ms * 1e6 / elapsed;
      messages_ = std::max<std::uint64_t>(what_.threads, static_cast<std::uint64_t>(wanted));
      messages_ -= messages_ % what_.threads;
      return;
    }
  }

  void sample(row& into) {
    if (running_.each) running_.each->clear();
    const double elapsed = time(messages_);
    into.ns.push_back(elapsed / static_cast<double>(messages_));
    if (running_.each) {
      if (!into.each) into.each.emplace();
      into.each->add(*running_.each);
    }
    if (running_.grown_kib) into.grown_kib = running_.grown_kib();
    into.allocations += static_cast<double>(allocated_);  // a sum until all samples are there
    into.messages += messages_;
  }

 private:
  double time(std::uint64_t messages) {
    if (running_.stock) running_.stock(messages);
    running_.before();
    allocated_elsewhere = 0;
    const std::uint64_t allocated_before = allocated_here;
    const auto start = clock::now();
    running_.send(messages);
    const std::chrono::duration<double, std::nano> elapsed = clock::now() - start;
    allocated_ = allocated_here - allocated_before + allocated_elsewhere;
    running_.after();
    check(messages);
    return elapsed.count();
  }

  void check(std::uint64_t messages) {
    expected_ += messages * what_.handlers;
    const std::uint64_t handled = running_.handled();
    if (handled == expected_) return;
    std::fprintf(stderr, "\n%s: %llu were handled of %llu\n", what_.name.c_str(),
                 static_cast<unsigned long long>(handled),
                 static_cast<unsigned long long>(expected_));
    std::exit(1);
  }

  const contender& what_;
  subject running_;
  std::uint64_t messages_ = 1;
  std::uint64_t expected_ = 0;
  std::uint64_t allocated_ = 0;  // while the last sample was timed
};

void progress(const std::string& what, int round, int rounds) {
  static const bool is_terminal = isatty(STDERR_FILENO) != 0;
  if (is_terminal) {
    std::fprintf(stderr, "\r\033[K%s, round %d of %d", what.c_str(), round, rounds);
    if (round == rounds) std::fprintf(stderr, "\r\033[K");
  } else if (round == 1) {
    std::fprintf(stderr, "%s, %d rounds\n", what.c_str(), rounds);
  }
  std::fflush(stderr);
}

}  // namespace

std::vector<row> measure(const std::string& what, const std::vector<contender>& contenders,
                         double sample_ms, const options& how) {
  if (how.quick) sample_ms /= 10;
  std::vector<row> rows;
  for (const contender& each : contenders) {
    rows.push_back({each.name, each.what, {}, 0, 0, each.baseline, each.threads});
  }
  const std::size_t count = contenders.size();
  for (int round = 0; round < how.rounds(); ++round) {
    progress(what, round + 1, how.rounds());
    // Made anew, so that no round's addresses decide; in another order, so that no place in it
    // does.
    std::vector<std::unique_ptr<runner>> runners(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = (i + static_cast<std::size_t>(round)) % count;
      runners[at] = std::make_unique<runner>(contenders[at]);
    }
    for (const auto& each : runners) each->calibrate(sample_ms);
    for (int sample = 0; sample < how.samples(); ++sample) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = (i + static_cast<std::size_t>(sample)) % count;
        runners[at]->sample(rows[at]);
      }
    }
  }
  for (row& each : rows) {
    std::sort(each.ns.begin(), each.ns.end());
    each.allocations /= static_cast<double>(each.messages);
  }
  return rows;
}

}  // namespace bench
