// A process is killed at every step, and the next ones go on with its file.

#include "support/catch.hpp"
#include "support/durable_files.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace crash_test {

using msgbus_test::temporary_folder;

namespace {

/// A file, the log of the processes that worked on it, and what must be true of both.
struct story {
  temporary_folder folder;
  int runs = 0;

  /// Runs the worker. True: it was killed. False: it has ended by itself.
  bool run(int orders, int step) {
    const std::string arguments[] = {MSGBUS_TEST_DURABLE_WORKER, folder.file(),
                                     folder.file("log"),         std::to_string(++runs),
                                     std::to_string(orders),     std::to_string(step)};
    std::vector<char*> raw;
    for (const std::string& each : arguments) raw.push_back(const_cast<char*>(each.c_str()));
    raw.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      std::freopen("/dev/null", "w", stderr);  // failed handlers, without an observer
      ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
    INFO("run " << runs << ", step " << step << ", status " << status);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    return false;
  }

  [[nodiscard]] std::string integrity() const {
    SQLite::Database file(folder.file(), SQLite::OPEN_READWRITE);
    return file.execAndGet("pragma integrity_check").getString();
  }

  /// After a run that ended by itself.
  void check() const {
    std::set<int> placed;
    {
      SQLite::Database file(folder.file(), SQLite::OPEN_READONLY);
      SQLite::Statement all(file, "select id from orders");
      while (all.executeStep()) placed.insert(all.getColumn(0).getInt());
      std::set<int> effects;
      SQLite::Statement written(file, "select id from effects");
      while (written.executeStep()) {
        INFO("effect " << written.getColumn(0).getInt() << " is there twice");
        CHECK(effects.insert(written.getColumn(0).getInt()).second);
      }
      CHECK(effects == placed);
      CHECK(file.execAndGet("select count(*) from msgbus_outbox").getInt() == 0);
      CHECK(file.execAndGet("select count(*) from msgbus_dead").getInt() == 0);
    }
    std::set<int> committed;
    std::set<int> handled;
    std::set<std::pair<int, int>> handled_in_run;
    std::ifstream log(folder.file("log"));
    for (std::string word; log >> word;) {
      int run = 0;
      int id = 0;
      if (word == "committed") {
        log >> id;
        committed.insert(id);
      } else {
        log >> run >> id;
        handled.insert(id);
        INFO("run " << run << " handled " << id << " twice");
        CHECK(handled_in_run.emplace(run, id).second);
      }
    }
    CHECK(std::includes(placed.begin(), placed.end(), committed.begin(), committed.end()));
    CHECK(handled == placed);
    const auto changed_mind = [](int id) { return id % 5 == 4; };
    CHECK(std::none_of(handled.begin(), handled.end(), changed_mind));
  }
};

}  // namespace

TEST_CASE("a process that is killed at any step loses no message and sends none twice in a run",
          "[R1][R2]") {
  for (int step = 1;; ++step) {
    INFO("killed at step " << step);
    story one;
    const bool was_killed = one.run(4, step);
    CHECK(one.integrity() == "ok");
    one.run(0, 0);
    one.check();
    if (!was_killed) {
      CHECK(step > 30);
      break;
    }
  }
}

TEST_CASE("processes that are killed again and again lose nothing", "[R1][R2]") {
  const char* const more = std::getenv("MSGBUS_CRASH_ROUNDS");
  const unsigned rounds = more ? static_cast<unsigned>(std::atoi(more)) : 12;
  for (unsigned seed = 1; seed <= rounds; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    story one;
    for (int i = 0; i < 4; ++i) {
      one.run(10, 1 + static_cast<int>(random() % 250));
      CHECK(one.integrity() == "ok");
    }
    one.run(0, 0);
    one.check();
  }
}

}  // namespace crash_test
