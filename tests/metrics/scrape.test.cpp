// A real Prometheus scrapes a program.

#include <msgbus/metrics.hpp>

#include <msgbus/async/consumer.hpp>

#include "support/catch.hpp"
#include "support/reserved_port.hpp"

#include <asio/io_context.hpp>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scrape_test {

using msgbus::metrics;
using msgbus::async::consumer;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct order {
  int id = 0;
};

/// A server with `/metrics`, in OpenMetrics if it is asked for.
class target {
 public:
  explicit target(const metrics& of) {
    server_.Get("/metrics", [&](const httplib::Request& asked, httplib::Response& answer) {
      const bool is_open = asked.get_header_value("Accept").find("application/openmetrics-text") !=
                           std::string::npos;
      answer.set_content(is_open ? of.openmetrics() : of.prometheus(),
                         is_open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4");
      const std::lock_guard lock(mutex_);
      ++scrapes_;
      was_open_ = is_open;
      came_.notify_all();
    });
    port = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  target(const target&) = delete;
  target& operator=(const target&) = delete;
  ~target() {
    server_.stop();
    thread_.join();
  }

  /// Waits for two scrapes: when the second one begins, the first is stored.
  [[nodiscard]] bool was_scraped() {
    std::unique_lock lock(mutex_);
    const int before = scrapes_;
    return came_.wait_for(lock, 60s, [&] { return scrapes_ >= before + 2; });
  }
  [[nodiscard]] bool was_open() {
    const std::lock_guard lock(mutex_);
    return was_open_;
  }

  int port = 0;

 private:
  httplib::Server server_;
  std::mutex mutex_;
  std::condition_variable came_;
  int scrapes_ = 0;
  bool was_open_ = false;
  std::thread thread_;
};

/// A process of Prometheus, with its data in a folder of its own.
class prometheus {
 public:
  explicit prometheus(int scraped) {
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ / "prometheus.yml")
        << "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
           "scrape_configs:\n"
           "  - job_name: program\n"
           "    static_configs: [{targets: ['127.0.0.1:"
        << scraped << "']}]\n";
    const std::string config = "--config.file=" + (folder_ / "prometheus.yml").string();
    const std::string data = "--storage.tsdb.path=" + (folder_ / "data").string();
    const std::string listens = "--web.listen-address=127.0.0.1:" + std::to_string(port_.number());
    id_ = fork();
    if (id_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive the test
      execl(MSGBUS_PROMETHEUS, MSGBUS_PROMETHEUS, config.c_str(), data.c_str(), listens.c_str(),
            "--log.level=error", static_cast<char*>(nullptr));
      _exit(127);
    }
  }
  prometheus(const prometheus&) = delete;
  prometheus& operator=(const prometheus&) = delete;
  ~prometheus() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }

  /// Empty: it knows nothing of that, or does not answer yet.
  [[nodiscard]] json query(const std::string& text) const {
    httplib::Client client("127.0.0.1", port_.number());
    const auto got = client.Get("/api/v1/query", {{"query", text}}, httplib::Headers());
    if (!got || got->status != 200) return json::array();
    return json::parse(got->body)["data"]["result"];
  }

 private:
  const std::filesystem::path folder_ = "scrape_test." + std::to_string(getpid());
  const msgbus_test::reserved_port port_;
  pid_t id_ = 0;
};

/// What Prometheus answers as soon as it knows something. After a scrape that takes too long, as on
/// a busy machine, it knows nothing until the next one.
json known(target& here, const prometheus& there, const std::string& text) {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < until) {
    json found = there.query(text);
    if (!found.empty()) return found;
    if (!here.was_scraped()) break;
  }
  FAIL("Prometheus does not know " << text);
  return {};
}

}  // namespace

TEST_CASE("a real Prometheus scrapes the figures, and knows them by their names", "[O3]") {
  asio::io_context io;
  consumer orders(io);
  orders.observe(std::make_shared<msgbus::observer>());
  orders.handler([](const order& event) {
    if (event.id == 2) throw std::runtime_error("no");
  });
  metrics figures;
  figures.add("odd \"name\" \\ \n \xff", orders);
  for (int i = 1; i <= 3; ++i) (void)orders.post(order{i});
  io.run();
  target here(figures);
  const prometheus there(here.port);
  REQUIRE(here.was_scraped());
  CHECK(here.was_open());
  CHECK(known(here, there, "up == 1").size() == 1);
  const json handled = known(here, there, "msgbus_handled_messages_total{outcome='handled'}");
  REQUIRE(handled.size() == 1);
  CHECK(handled[0]["value"][1] == "2");
  CHECK(handled[0]["metric"]["component"] == "odd \"name\" \\ \n \xef\xbf\xbd");
  const json count = known(here, there, "msgbus_handle_duration_seconds_count");
  CHECK(count[0]["value"][1] == "3");
  const json median =
      known(here, there, "histogram_quantile(0.5, msgbus_handle_duration_seconds_bucket)");
  CHECK(std::stod(median[0]["value"][1].get<std::string>()) > 0);
}

}  // namespace scrape_test
