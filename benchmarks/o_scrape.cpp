// O5: what reading a program of a thousand components costs its messages, which another thread
// posts and handles meanwhile: their rate, the longest of them, and the readings themselves.

#include "thread_group.hpp"
#include "workloads.hpp"

#include <msgbus/async.hpp>
#include <msgbus/describe.hpp>
#include <msgbus/metrics.hpp>

#include <asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

namespace {

constexpr std::size_t many = 1000;

/// Components on one thread, the caller's, whose times are measured; each has had a message.
class program {
 public:
  explicit program(std::size_t components) {
    all_.reserve(components);
    for (std::size_t i = 0; i < components; ++i) {
      all_.push_back(std::make_unique<msgbus::async::consumer>(context_));
      all_.back()->handler([this](const order_created&) { ++handled_; });
      host_.add("component " + std::to_string(i), *all_.back());
    }
    (void)figures.prometheus();
    for (std::size_t i = 0; i < components; ++i) post();
    run();
    handled_ = 0;
  }

  /// To each component in turn.
  void post() { (void)all_[next_++ % all_.size()]->post(order_created{next_, 9.99}); }
  void run() {
    context_.restart();
    context_.poll();
  }
  [[nodiscard]] std::uint64_t handled() const noexcept { return handled_; }

 private:
  asio::io_context context_{1};
  msgbus::async::host host_{context_};
  std::vector<std::unique_ptr<msgbus::async::consumer>> all_;
  std::size_t next_ = 0;
  std::uint64_t handled_ = 0;

 public:
  const msgbus::metrics figures{host_};
  const msgbus::graph_source graph{host_};
};

using reading = std::function<std::string(const program&)>;

std::string scraped(const program& of) { return of.figures.prometheus(); }
std::string described(const program& of) { return msgbus::describe(of.graph.read()); }

/// Text of about the length of a scrape, from memory of this thread alone.
std::string other_work(const program&) {
  std::string text;
  char line[96];
  for (std::size_t i = 0; i < 20 * many; ++i) {
    std::snprintf(line, sizeof line, "some_messages_total{component=\"component %zu\"} %zu\n",
                  i % many, i);
    text += line;
  }
  return text;
}

/// A thread on another core that does one thing again and again.
class looping {
 public:
  explicit looping(std::function<void()> once)
      : thread_([this, once = std::move(once)] {
          stay_on(1);
          do {
            once();
            rounds_.fetch_add(1);
            rounds_.notify_one();
          } while (!over_);
        }) {
    rounds_.wait(0);
  }
  looping(const looping&) = delete;
  ~looping() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::atomic<unsigned> rounds_{0};
  std::thread thread_;  // last: it uses the others
};

/// Posts and handles while another thread reads; each message is timed by itself if asked.
contender beside(std::string name, role what, bool one_by_one, reading read = {}) {
  auto make = [read = std::move(read), one_by_one] {
    auto of = std::make_shared<program>(many);
    auto reader = std::make_shared<std::optional<looping>>();
    subject made;
    made.handled = [of] { return of->handled(); };
    if (read) {
      made.before = [of, reader, read] {
        reader->emplace([of, read] { (void)opaque(read(*of).data()); });
      };
      made.after = [reader] { reader->reset(); };
    }
    if (one_by_one) {
      auto each = std::make_shared<histogram>();
      made.each = each;
      made.send = [of, each](std::uint64_t messages) {
        using std::chrono::steady_clock;
        for (std::uint64_t i = 0; i < messages; ++i) {
          const auto start = steady_clock::now();
          of->post();
          of->run();
          const std::chrono::nanoseconds took = steady_clock::now() - start;
          each->add(static_cast<std::uint64_t>(took.count()));
        }
      };
    } else {
      made.send = [of](std::uint64_t messages) {
        for (std::uint64_t i = 0; i < messages; ++i) {
          of->post();
          if (i % 64 == 63) of->run();
        }
        of->run();
      };
    }
    return made;
  };
  return {std::move(name), what, make};
}

const std::string quiet = "nobody reads";
const std::string busy = "another thread writes text of its own";
const std::string scraping = "another thread scrapes, again and again";
const std::string describing = "another thread describes, again and again";

std::vector<contender> all_beside(bool one_by_one) {
  return {
      beside(quiet, role::baseline, one_by_one),
      beside(busy, role::reference, one_by_one, other_work),
      beside(scraping, role::project, one_by_one, scraped),
      beside(describing, role::project, one_by_one, described),
  };
}

contender taking(std::string name, std::size_t size, reading read) {
  auto make = [read = std::move(read), size] {
    auto of = std::make_shared<program>(size);
    auto seen = std::make_shared<std::uint64_t>(0);
    subject made;
    made.handled = [seen] { return *seen; };
    made.send = [of, seen, read](std::uint64_t readings) {
      for (; readings > 0; --readings) {
        (void)opaque(read(*of).data());
        ++*seen;
      }
    };
    return made;
  };
  return {std::move(name), role::project, make};
}

}  // namespace

workload o5_rate() {
  using enum target::kind;
  workload w{"O5", "Messages of 1 000 components that are read", all_beside(false), {}};
  w.sample_ms = 20;
  w.targets = {{at_most_times, scraping, 1.25, busy}, {at_most_times, describing, 1.25, busy}};
  return w;
}

workload o5_stops() {
  using enum target::kind;
  workload w{"O5_stops", "The same, one message at a time", all_beside(true), {}};
  w.sample_ms = 20;
  w.targets = {{at_most_times_p99_9, scraping, 2, busy},
               {at_most_times_p99_9, describing, 2, busy}};
  return w;
}

growth o5_scrape() {
  const std::string text = "metrics.prometheus";
  const std::string graph = "describe";
  growth g;
  g.id = "O5_scrape";
  g.title = "A reading of a program";
  g.size_is = "components";
  g.sizes = {1, 10, 100, 1000};
  g.at = [text, graph](std::uint64_t size) {
    return std::vector<contender>{taking(text, size, scraped), taking(graph, size, described)};
  };
  g.targets = {{text, 10, 1000, 200}, {graph, 10, 1000, 200}};
  g.unit = "reading";
  g.sample_ms = 20;
  return g;
}

}  // namespace bench
