#include <msgbus/monitor/monitor.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/error.hpp>
#include <msgbus/graph_source.hpp>
#include <msgbus/metrics.hpp>

#include "core/signals.hpp"
#include "core/text.hpp"
#include "monitor/access.hpp"
#include "monitor/collector.hpp"
#include "monitor/graph_svg.hpp"
#include "monitor/server.hpp"
#include "monitor/status.hpp"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace msgbus {

namespace {

using namespace monitoring;

monitor_options checked(monitor_options options) {
  if (options.interval <= options.interval.zero()) {
    throw error(errc::bad_arguments, "a monitor needs an interval that is longer than zero");
  }
  if (options.max_streams == 0) {
    throw error(errc::bad_arguments, "a monitor needs at least one stream");
  }
  if (options.allow_actions && options.token.empty() && !is_loopback(options.address)) {
    throw error(errc::bad_arguments,
                "a monitor at '" + options.address +
                    "' with allow_actions needs a token: other machines can reach it");
  }
  return options;
}

}  // namespace

/// The thread that reads, and what the server's threads ask.
class monitor::running {
 public:
  running(async::host& all, monitor_options&& options)
      : options_(checked(std::move(options))),
        facts_{options_.title, wall_time(), options_.interval, options_.allow_actions},
        metrics_(all, metrics_options{.times = true, .sample = options_.sample}),
        graph_(all),
        collector_(all, options_) {
    read();
    server_.emplace(
        options_,
        served_content{newest_,
                       [this](bool openmetrics) {
                         return openmetrics ? metrics_.openmetrics() : metrics_.prometheus();
                       },
                       [this](graph_format form) { return msgbus::describe(graph_.read(), form); },
                       [this] { return graph_svg(*figures()); },
                       [this](letter_action action, const std::vector<std::string>& ids) {
                         return collector_.act(action, ids);
                       }});
    const msgbus::detail::without_signals theirs;
    thread_ = std::thread([this] { run(); });
  }
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
    newest_.end();
    server_.reset();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
  [[nodiscard]] const monitor_options& options() const noexcept { return options_; }

 private:
  [[nodiscard]] std::shared_ptr<const figures_now> figures() {
    const std::lock_guard lock(mutex_);
    return figures_;
  }

  void read() {
    auto made = std::make_shared<const figures_now>(history_.add(collector_.read()));
    const std::vector<warning> warnings = rules_.add(*made);
    newest_.publish(status_json(facts_, *made, warnings));
    const std::lock_guard lock(mutex_);
    figures_.swap(made);
  }

  void run() {
    auto next = clock::now();
    for (;;) {
      next = std::max(msgbus::detail::saturating_add(next, options_.interval), clock::now());
      {
        std::unique_lock lock(mutex_);
        if (changed_.wait_until(lock, next, [this] { return ended_; })) return;
      }
      try {
        read();
      } catch (...) {  // without memory: the document before stays
        msgbus::detail::say({"a monitor could not read figures: "}, std::current_exception());
      }
    }
  }

  const monitor_options options_;
  const status_facts facts_;
  const metrics metrics_;
  const graph_source graph_;
  collector collector_;
  history history_;
  warning_rules rules_;
  newest_document newest_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const figures_now> figures_;  // under the mutex
  bool ended_ = false;                          // under the mutex
  std::optional<http_server> server_;           // its threads use all of the above
  std::thread thread_;
};

monitor::monitor(async::host& host, monitor_options options)
    : running_(std::make_unique<running>(host, std::move(options))) {}
monitor::~monitor() = default;

std::uint16_t monitor::port() const noexcept { return running_->port(); }

std::string monitor::url() const {
  std::string address = running_->options().address;
  if (address == "0.0.0.0" || address == "::" || address.empty()) address = "localhost";
  if (address.find(':') != std::string::npos) address = '[' + address + ']';
  return "http://" + address + ':' + std::to_string(port()) + '/';
}

}  // namespace msgbus
