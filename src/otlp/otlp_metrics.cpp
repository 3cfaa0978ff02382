#include <msgbus/otlp_metrics.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/error.hpp>

#include "core/print.hpp"
#include "core/signals.hpp"
#include "core/text.hpp"
#include "otlp/collector.hpp"
#include "otlp/otlp_json.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace msgbus {

namespace {

using metrics_clock = std::chrono::steady_clock;

constexpr auto longest_connect = std::chrono::milliseconds(100);  // besides the time to linger
constexpr auto give_up_pause = std::chrono::milliseconds(10);

}  // namespace

/// A thread that sends in each period, or when it is asked to.
class otlp_metrics::exporter {
 public:
  exporter(source&& from, otlp_metrics_options&& options)
      : from_(std::move(from)),
        options_(otlp::limited(std::move(options))),
        client_({options_.endpoint, "/v1/metrics", options_.request_headers, options_.timeout,
                 std::min(options_.timeout, options_.linger + longest_connect)}) {
    if (!from_) throw error(errc::bad_arguments, "otlp_metrics needs a source");
    if (options_.period <= duration::zero()) {
      throw error(errc::bad_arguments, "the period of otlp_metrics is not positive");
    }
    options_.resource.insert(options_.resource.begin(), {"service.name", options_.service});
    const detail::without_signals theirs;  // a collector that has gone is an error, not the end
    thread_ = std::thread([this] { run(); });
  }
  exporter(const exporter&) = delete;
  exporter& operator=(const exporter&) = delete;

  ~exporter() {
    {
      std::unique_lock lock(mutex_);
      ends_ = true;
      changed_.notify_all();
      sent_.wait_for(lock, options_.linger, [this] { return has_ended_; });
      gives_up_ = true;
      // Again and again: a request may begin just after it.
      while (!has_ended_) {
        lock.unlock();
        client_.stop();
        lock.lock();
        sent_.wait_for(lock, give_up_pause, [this] { return has_ended_; });
      }
    }
    thread_.join();
  }

  bool flush(duration timeout) {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++asked_for_;
    changed_.notify_all();
    const auto until = detail::saturating_add(metrics_clock::now(), timeout);
    (void)sent_.wait_until(lock, until, [&] { return done_ >= mine; });
    return accepted_ >= mine;
  }

  [[nodiscard]] otlp_metrics_counters stats() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  void run() noexcept {
    std::unique_lock lock(mutex_);
    bool is_last = false;
    while (!is_last) {
      const auto due = detail::saturating_add(metrics_clock::now(), options_.period);
      changed_.wait_until(lock, due, [this] { return ends_ || asked_for_ > done_; });
      is_last = ends_;
      if (gives_up_) break;
      const std::uint64_t asked_for = asked_for_;  // what is asked for later is read again
      std::uint64_t refused = 0;
      lock.unlock();
      const bool is_accepted = send(refused);
      lock.lock();
      done_ = asked_for;
      if (is_accepted) accepted_ = asked_for;
      ++(is_accepted ? counts_.exported : counts_.failures);
      counts_.refused += refused;
      sent_.notify_all();
    }
    has_ended_ = true;
    sent_.notify_all();
  }

  /// Without the lock.
  bool send(std::uint64_t& refused) noexcept {
    try {
      const std::vector<metric_data> now = from_();
      const auto at = std::chrono::system_clock::now();
      const std::string body = otlp::request_body(now, at, options_.resource);
      std::string answer;
      if (client_.post(body, answer) != otlp::collector::sent::accepted) return false;
      refused = otlp::refused_in(answer);
      return true;
    } catch (...) {
      detail::say_thrown_by("the export of metrics");
      return false;
    }
  }

  const source from_;
  otlp_metrics_options options_;
  otlp::collector client_;  // of the thread; `stop` is for any

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for the thread
  std::condition_variable sent_;     // for those who wait for it
  // Under the mutex.
  otlp_metrics_counters counts_;
  std::uint64_t asked_for_ = 0;  // calls of `flush`
  std::uint64_t done_ = 0;       // of these, those that were sent, or not
  std::uint64_t accepted_ = 0;   // the last one that was accepted
  bool ends_ = false;
  bool gives_up_ = false;
  bool has_ended_ = false;  // the thread
  std::thread thread_;
};

otlp_metrics::otlp_metrics(source from, otlp_metrics_options options)
    : exporter_(std::make_unique<exporter>(std::move(from), std::move(options))) {}

otlp_metrics::~otlp_metrics() = default;

bool otlp_metrics::flush(duration timeout) { return exporter_->flush(timeout); }

otlp_metrics_counters otlp_metrics::stats() const { return exporter_->stats(); }

std::ostream& operator<<(std::ostream& out, const otlp_metrics_counters& value) {
  return out << detail::printed("otlp_metrics_counters")
                    .member("exported", value.exported)
                    .member("failures", value.failures)
                    .member("refused", value.refused);
}

}  // namespace msgbus
