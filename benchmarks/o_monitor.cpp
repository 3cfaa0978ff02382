// O4: what a monitor costs the messages (A1) of a program of a hundred components, while nobody
// looks, and while a client follows its events and scrapes its metrics once a second.

#include "async_buses.hpp"
#include "workloads.hpp"

#include <msgbus/async/host.hpp>
#include <msgbus/metrics.hpp>
#include <msgbus/monitor.hpp>

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bench {

namespace {

constexpr int idle_components = 99;

/// Reads the events of a monitor, and its metrics once a second.
class follower {
 public:
  explicit follower(std::uint16_t port) {
    events_ = std::thread([this, port] { follow(port); });
    scrapes_ = std::thread([this, port] { scrape(port); });
    begun_.wait();
  }
  follower(const follower&) = delete;
  /// After the end of the monitor, which ends the stream.
  ~follower() {
    events_.join();
    scrapes_.join();
  }

  /// Before the end of the monitor: a scrape may fail from now on.
  void end_scrapes() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "\na monitor did not give its %s\n", what);
    std::_Exit(1);
  }

  void follow(std::uint16_t port) {
    httplib::Client client("127.0.0.1", port);
    bool is_first = true;
    (void)client.Get("/events", [&](const char*, std::size_t) {
      if (std::exchange(is_first, false)) begun_.count_down();
      return true;
    });
    if (is_first) fail("events");
  }

  void scrape(std::uint16_t port) {
    httplib::Client client("127.0.0.1", port);
    bool is_first = true;
    std::unique_lock lock(mutex_);
    do {
      lock.unlock();
      const auto answer = client.Get("/metrics");
      lock.lock();
      if (!over_ && (!answer || answer->status != 200)) fail("metrics");
      if (std::exchange(is_first, false)) begun_.count_down();
    } while (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; }));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;  // under the mutex
  std::latch begun_{2};
  std::thread events_, scrapes_;
};

enum class watch { no, metrics, monitor, monitor_and_client };

/// `posting` in a program of a hundred components, which are watched while it is timed.
class posting_watched {
 public:
  posting_watched(tally& count, unsigned /*producers*/, unsigned core, watch how)
      : how_(how), there_(core), host_(there_.executor()), bus_(there_.executor()) {
    host_.add("orders", bus_);
    bus_.handler([&count](const order_created& event) { count.handled(event); });
    for (int i = 0; i < idle_components; ++i) {
      idle_.push_back(std::make_unique<msgbus::async::consumer>(there_.executor()));
      idle_.back()->handler([](const order_created&) {});
      host_.add("component " + std::to_string(i), *idle_.back());
    }
  }

  void wake() {
    if (how_ == watch::metrics) figures_.emplace(host_);
    if (how_ < watch::monitor) return;
    roam();  // its threads are not those that send
    monitor_.emplace(host_);
    if (how_ == watch::monitor_and_client) client_.emplace(monitor_->port());
    stay_on(0);
  }
  void rest() {
    figures_.reset();
    if (client_) client_->end_scrapes();
    monitor_.reset();
    client_.reset();
  }

  void send(unsigned /*producer*/, const order_created& event) {
    patience with;
    while (bus_.post(event).rejected > 0) with.wait();
  }

 private:
  const watch how_;
  context_thread there_;
  msgbus::async::host host_;
  msgbus::async::consumer bus_;
  std::vector<std::unique_ptr<msgbus::async::consumer>> idle_;
  std::optional<msgbus::metrics> figures_;
  std::optional<msgbus::monitor> monitor_;
  std::optional<follower> client_;
};

}  // namespace

workload o4_monitor() {
  using enum target::kind;
  workload w{"O4", "A monitor", {}, {}};
  w.sample_ms = 3000;  // a monitor reads once a second, and so does its client
  w.few = true;
  const std::string times = "with the times of every message, no monitor";
  const std::string alone = "with a monitor, nobody looks";
  const std::string followed = "with a monitor, events followed, metrics scraped once a second";
  w.contenders = {
      sending_across<posting_watched>("msgbus consumer.post, no metrics", role::baseline, 1,
                                      watch::no),
      sending_across<posting_watched>(times, role::reference, 1, watch::metrics),
      sending_across<posting_watched>(alone, role::project, 1, watch::monitor),
      sending_across<posting_watched>(followed, role::project, 1, watch::monitor_and_client),
  };
  w.targets = {{at_most_times, alone, 1.1, times}, {at_most_times, followed, 1.1, times}};
  return w;
}

}  // namespace bench
