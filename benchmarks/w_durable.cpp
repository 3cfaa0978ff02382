// W1 to W3: messages that survive the process, beside SQLite through the same wrapper. Every file
// is synced as open_options::synchronous::full says, and the disk's own pace is a row of W2.

#include "durable_shop.hpp"
#include "workloads.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string>
#include <unistd.h>

namespace bench {

namespace {

// --- SQLite. -------------------------------------------------------------------------------------

/// Rows of 128 bytes, so many to a commit.
struct raw_rows {
  scratch_folder folder;
  SQLite::Database file{folder.file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  std::optional<SQLite::Statement> begin, insert, commit;
  std::uint64_t rows = 0;

  raw_rows() {
    (void)file.execAndGet("pragma journal_mode = wal");
    file.exec("pragma synchronous = full");
    file.exec("create table orders (seq integer primary key, body blob not null)");
    begin.emplace(file, "begin immediate");
    insert.emplace(file, "insert into orders (body) values (?)");
    commit.emplace(file, "commit");
  }
  static void run(SQLite::Statement& one) {
    while (one.executeStep()) {
    }
    one.reset();
  }
  void put(std::uint64_t number) {
    const stored_order order(number);
    insert->bindNoCopy(1, static_cast<const void*>(order.bytes.data()),
                       static_cast<int>(order.bytes.size()));
    run(*insert);
    ++rows;
  }
  void send(std::uint64_t messages, std::uint64_t together) {
    for (std::uint64_t done = 0; done < messages;) {
      run(*begin);
      for (std::uint64_t i = 0; i < together && done < messages; ++i) put(done++);
      run(*commit);
    }
  }
};

contender raw(std::string name, std::uint64_t together) {
  auto make = [together] {
    auto made = std::make_shared<raw_rows>();
    subject one;
    one.send = [made, together](std::uint64_t messages) { made->send(messages, together); };
    one.handled = [made] { return made->rows; };
    return one;
  };
  return {std::move(name), role::baseline, make};
}

/// 4 KiB are added to a file and synced.
contender disk() {
  struct state {
    scratch_folder folder;
    int file = ::open(folder.file("disk").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    std::array<char, 4096> page{};
    std::uint64_t synced = 0;
    ~state() { ::close(file); }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject one;
    one.send = [made](std::uint64_t messages) {
      for (std::uint64_t i = 0; i < messages; ++i) {
        const auto size = static_cast<ssize_t>(made->page.size());
        if (::write(made->file, made->page.data(), made->page.size()) != size) std::abort();
        if (::fdatasync(made->file) != 0) std::abort();
        ++made->synced;
      }
    };
    one.handled = [made] { return made->synced; };
    return one;
  };
  return {"the disk: 4 KiB written and synced", role::reference, make};
}

// --- msgbus. -------------------------------------------------------------------------------------

contender transactions(std::string name, unsigned coroutines, until which,
                       role what = role::project) {
  auto make = [coroutines, which] {
    auto made = std::make_shared<shop>(which);
    subject one;
    one.send = [made, coroutines, which](std::uint64_t messages) {
      made->send(messages, coroutines, which);
    };
    one.handled = [made, which] {
      return which == until::handled ? made->handled : made->committed;
    };
    return one;
  };
  return {std::move(name), what, make};
}

contender timed(std::string name, until which, role what) {
  auto make = [which] {
    auto made = std::make_shared<shop>();
    subject one;
    one.each = made->each;
    one.send = [made, which](std::uint64_t messages) { made->send_timed(messages, which); };
    one.handled = [made] { return made->handled; };
    return one;
  };
  return {std::move(name), what, make};
}

}  // namespace

workload w1_transactions() {
  using enum target::kind;
  const std::string batches = "SQLite, inserts in batches of 256";
  const std::string project = "msgbus transactions until their messages are handled, 256 at a time";
  const std::string stored = "msgbus transactions until they are committed, 256 at a time";
  workload w{"W1", "Transactions with one message, 256 at a time", {}, {}, "transaction"};
  w.sample_ms = 100;
  w.contenders = {raw(batches, at_a_time), transactions(stored, at_a_time, until::committed),
                  transactions(project, at_a_time, until::handled)};
  w.targets = {{at_least_times_faster, stored, 0.6, batches},
               {at_least_times_faster, project, 0.6, batches}};
  return w;
}

workload w2_one_at_a_time() {
  using enum target::kind;
  const std::string alone = "SQLite, one insert and its commit";
  const std::string project = "msgbus transaction, one at a time";
  workload w{"W2", "Transactions with one message, one at a time", {}, {}, "transaction"};
  w.sample_ms = 100;
  w.contenders = {raw(alone, 1), disk(), transactions(project, 1, until::committed)};
  w.targets = {{at_most_times, project, 1.2, alone}};
  return w;
}

workload w3_handled() {
  using enum target::kind;
  const std::string committed = "msgbus transaction until it is committed";
  const std::string project = "msgbus transaction until its message is handled";
  workload w{"W3", "From a transaction to the handler of its message", {}, {}, "transaction"};
  w.sample_ms = 100;
  w.contenders = {timed(committed, until::committed, role::baseline),
                  timed(project, until::handled, role::project)};
  w.targets = {{at_most_times, project, 2, committed}};
  return w;
}

}  // namespace bench
