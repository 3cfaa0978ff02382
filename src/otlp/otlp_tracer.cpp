#include <msgbus/otlp_tracer.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/error.hpp>

#include "core/print.hpp"
#include "core/signals.hpp"
#include "core/text.hpp"
#include "otlp/collector.hpp"
#include "otlp/otlp_json.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace msgbus {

namespace {

using clock = std::chrono::steady_clock;
using duration = clock::duration;

constexpr duration shortest_pause = std::chrono::milliseconds(100);

}  // namespace

/// A queue, and the thread that empties it.
class otlp_tracer::exporter {
 public:
  explicit exporter(otlp_options&& options)
      : options_(otlp::limited(std::move(options))),
        client_({options_.endpoint, "/v1/traces", options_.request_headers, options_.timeout,
                 std::min(options_.timeout, options_.linger + shortest_pause)}) {
    if (options_.capacity == 0) {
      throw error(errc::bad_arguments, "an otlp_tracer needs a capacity of at least one span");
    }
    options_.batch = std::clamp<std::size_t>(options_.batch, 1, options_.capacity);
    options_.resource.insert(options_.resource.begin(), {"service.name", options_.service});
    const detail::without_signals theirs;  // a collector that has gone is an error, not the end
    thread_ = std::thread([this] { run(); });
  }
  exporter(const exporter&) = delete;
  exporter& operator=(const exporter&) = delete;

  ~exporter() {
    {
      std::unique_lock lock(mutex_);
      until_ = clock::now() + options_.linger;
      changed_.notify_all();
      settled_.wait_until(lock, *until_, [this] { return is_idle(); });
      gives_up_ = true;
      changed_.notify_all();
      // Again and again: a request may begin just after it.
      while (!has_ended_) {
        lock.unlock();
        client_.stop();
        lock.lock();
        settled_.wait_for(lock, shortest_pause / 10, [this] { return has_ended_; });
      }
    }
    thread_.join();
  }

  void add(const span_data& span) {
    const std::lock_guard lock(mutex_);
    ++counts_.ended;
    if (queue_.size() + in_hand_.size() >= options_.capacity) {
      ++counts_.dropped;
      return;
    }
    try {
      queue_.push_back(span);
    } catch (const std::bad_alloc&) {
      ++counts_.dropped;
      return;
    }
    if (queue_.size() == 1) oldest_ = clock::now();
    if (queue_.size() == 1 || queue_.size() == options_.batch) changed_.notify_one();
  }

  bool flush(duration timeout) {
    std::unique_lock lock(mutex_);
    const std::uint64_t target = left_ + queue_.size() + in_hand_.size();
    asked_for_ = target;  // also when nobody waits for it any more
    ++flushes_;
    changed_.notify_all();
    const auto until = detail::saturating_add(clock::now(), timeout);
    const bool done = settled_.wait_until(lock, until, [&] { return left_ >= target; });
    --flushes_;
    return done;
  }

  [[nodiscard]] otlp_counters stats() const {
    const std::lock_guard lock(mutex_);
    otlp_counters now = counts_;
    now.waiting = queue_.size() + in_hand_.size();
    return now;
  }

 private:
  using sent = otlp::collector::sent;

  [[nodiscard]] bool is_idle() const { return queue_.empty() && in_hand_.empty(); }
  [[nodiscard]] bool hurries() const { return flushes_ != 0 || until_; }

  void run() noexcept {
    std::unique_lock lock(mutex_);
    duration pause = shortest_pause;
    while (wait_for_work(lock)) {
      take();
      std::uint64_t refused = 0;
      lock.unlock();
      const sent result = send(refused);
      lock.lock();
      if (result == sent::try_again) {
        ++counts_.failures;
        const bool hurried = hurries();
        if (hurried) pause = shortest_pause;
        changed_.wait_for(lock, pause, [&] { return gives_up_ || (!hurried && hurries()); });
        pause = std::min(2 * pause, std::max(options_.delay, shortest_pause));
        continue;
      }
      pause = shortest_pause;
      if (result == sent::refused) {
        ++counts_.failures;
        refused = in_hand_.size();
      }
      refused = std::min<std::uint64_t>(refused, in_hand_.size());
      counts_.exported += in_hand_.size() - refused;
      settle(refused);
    }
    in_hand_.insert(in_hand_.end(), std::make_move_iterator(queue_.begin()),
                    std::make_move_iterator(queue_.end()));
    queue_.clear();
    has_ended_ = true;
    settle(in_hand_.size());
  }

  /// Those in hand are done with; so many are lost.
  void settle(std::size_t lost) {
    counts_.dropped += lost;
    left_ += in_hand_.size();
    in_hand_.clear();
    settled_.notify_all();
  }

  /// False: it is over.
  bool wait_for_work(std::unique_lock<std::mutex>& lock) {
    for (;;) {
      if (gives_up_) return false;
      if (is_idle()) {
        if (until_) return false;
        changed_.wait(lock);
        continue;
      }
      const bool is_ready =
          !in_hand_.empty() || hurries() || left_ < asked_for_ || queue_.size() >= options_.batch;
      const clock::time_point due = oldest_ + options_.delay;
      if (is_ready || clock::now() >= due) return true;
      changed_.wait_until(lock, due);
    }
  }

  void take() {
    if (!in_hand_.empty()) return;  // it is repeated
    const std::size_t many = std::min(queue_.size(), options_.batch);
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(many);
    in_hand_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    oldest_ = clock::now();  // of those that are left, or earlier: they wait a little longer
  }

  /// Without the lock: only this thread changes the batch in hand.
  sent send(std::uint64_t& refused) noexcept {
    try {
      const std::string body = otlp::request_body(in_hand_, options_.resource);
      std::string answer;
      const sent result = client_.post(body, answer);
      if (result == sent::accepted) refused = otlp::refused_in(answer);
      return result;
    } catch (...) {
      detail::say_thrown_by("the export of spans");
      return sent::refused;
    }
  }

  otlp_options options_;
  otlp::collector client_;  // of the thread; `stop` is for any

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for the thread
  std::condition_variable settled_;  // for threads that wait in `flush`
  // Under the mutex; those in hand are read by the thread without it.
  std::deque<span_data> queue_;
  std::vector<span_data> in_hand_;
  clock::time_point oldest_{};
  otlp_counters counts_;
  std::uint64_t left_ = 0;       // spans that were queued and are settled
  std::uint64_t asked_for_ = 0;  // so many are sent without a delay
  std::size_t flushes_ = 0;
  std::optional<clock::time_point> until_;  // the tracer ends
  bool gives_up_ = false;
  bool has_ended_ = false;  // the thread
  std::thread thread_;
};

otlp_tracer::otlp_tracer(otlp_options options)
    : tracer(options.sampling), exporter_(std::make_unique<exporter>(std::move(options))) {}

otlp_tracer::~otlp_tracer() = default;

void otlp_tracer::ended(const span_data& span) { exporter_->add(span); }

bool otlp_tracer::flush(std::chrono::steady_clock::duration timeout) {
  return exporter_->flush(timeout);
}

otlp_counters otlp_tracer::stats() const { return exporter_->stats(); }

std::ostream& operator<<(std::ostream& out, const otlp_counters& value) {
  return out << detail::printed("otlp_counters")
                    .member("ended", value.ended)
                    .member("exported", value.exported)
                    .member("dropped", value.dropped)
                    .member("failures", value.failures)
                    .member("waiting", value.waiting);
}

}  // namespace msgbus
