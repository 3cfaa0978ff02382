// The process and the server of its stream are both killed, again and again. Each message has its
// effect once.

#include "support/catch.hpp"
#include "support/nats_server.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace durable_kills_test {

using msgbus_test::nats_server;

namespace {

/// A worker, and the end of a pipe that tells of its progress.
struct process {
  pid_t id = 0;
  int progress = -1;

  explicit process(const std::vector<std::string>& arguments) {
    std::vector<char*> raw;
    for (const std::string& each : arguments) raw.push_back(const_cast<char*>(each.c_str()));
    raw.push_back(nullptr);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    id = ::fork();
    if (id == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive the test
      std::freopen("/dev/null", "w", stderr);
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    progress = ends[0];
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() { ::close(progress); }

  /// Waits until 50 more messages were handled. False: it has ended.
  [[nodiscard]] bool goes_on() const {
    char dot = 0;
    return ::read(progress, &dot, 1) == 1;
  }
  /// True: it was killed. False: it has ended by itself.
  [[nodiscard]] bool was_killed() const {
    int status = 0;
    ::waitpid(id, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
    INFO("status " << status);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    return false;
  }
};

int number(SQLite::Database& in, const char* sql) { return in.execAndGet(sql).getInt(); }

/// How many messages have had their effect.
int effects(SQLite::Database& in) {
  const bool has_begun =
      number(in, "select count(*) from sqlite_master where name = 'effects'") > 0;
  return has_begun ? number(in, "select count(*) from effects") : 0;
}

}  // namespace

TEST_CASE("a process and its server are killed at random and each message has its effect once",
          "[R1][R2]") {
  const char* const more = std::getenv("MSGBUS_KILLED_MESSAGES");
  const int messages = more ? std::atoi(more) : 1500;
  std::mt19937 random(7);
  const auto below = [&](int limit) {
    return 1 + static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  const int most_kills = 6 + messages / 5000;
  nats_server server;
  const std::string file = (server.folder() / "shop.db").string();
  int left = messages;
  int kills = 0;
  int server_kills = 0;
  bool has_ended = false;
  for (int run = 1; !has_ended; ++run) {
    // Each of them takes two steps at least, so the process is killed before it has ended.
    const int step = kills < most_kills ? below(std::clamp(left, 1, 20'000) * 2) : 0;
    const process worker({MSGBUS_TEST_DURABLE_NATS_WORKER, file, server.url(), std::to_string(run),
                          std::to_string(messages), std::to_string(step)});
    int until_kill = below(std::min(messages, 20'000) / 200);
    while (worker.goes_on()) {
      if (--until_kill != 0) continue;
      server.kill();
      server.restart();
      ++server_kills;
      until_kill = below(std::min(messages, 20'000) / 50);
    }
    INFO("run " << run << ", step " << step);
    has_ended = !worker.was_killed();
    if (!has_ended) ++kills;
    SQLite::Database in(file, SQLite::OPEN_READWRITE);
    CHECK(in.execAndGet("pragma integrity_check").getString() == "ok");
    left = messages - effects(in);
  }
  CHECK(kills == most_kills);
  CHECK(server_kills > 0);
  SQLite::Database in(file, SQLite::OPEN_READONLY);
  CHECK(number(in, "select count(*) from orders") == messages);
  CHECK(number(in, "select count(*) from effects") == messages);
  CHECK(number(in, "select count(*) from (select id from orders except select id from effects)") ==
        0);
  CHECK(number(in, "select count(*) from msgbus_outbox") == 0);
  CHECK(number(in, "select count(*) from msgbus_dead") == 0);
  if (more) {
    std::printf("%d messages: the process was killed %d times, the server %d times\n", messages,
                kills, server_kills);
  }
}

}  // namespace durable_kills_test
