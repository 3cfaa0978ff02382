// W1 to W4: messages that survive the process, beside SQLite through the same wrapper. Every file
// is synced as open_options::synchronous::full says, and the disk's own pace is a row of W2.

#include <msgbus/durable.hpp>

#include "awaiting.hpp"
#include "workloads.hpp"

#ifdef MSGBUS_BENCH_WITH_NATS
#include "over_nats.hpp"
#endif

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace bench {

/// A message of 128 bytes, which its codec copies.
struct stored_order {
  std::array<char, 128> bytes{};

  stored_order() = default;
  explicit stored_order(std::uint64_t number) noexcept {
    std::memcpy(bytes.data(), &number, sizeof number);
  }
};

}  // namespace bench

template <>
struct msgbus::codec<bench::stored_order> {
  static payload encode(const bench::stored_order& from, encoding = encoding::json) {
    return {std::string(from.bytes.data(), from.bytes.size()), "application/octet-stream"};
  }
  static bench::stored_order decode(std::string_view bytes, std::string_view) {
    bench::stored_order made;
    if (bytes.size() != made.bytes.size()) std::abort();
    std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
    return made;
  }
};

namespace bench {

namespace {

using msgbus::durable::transaction;
using std::chrono::steady_clock;

constexpr unsigned at_a_time = 256;

/// A folder beside the program, on whatever disk that is: `/tmp` may be memory.
class scratch_folder {
 public:
  scratch_folder() {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
    std::string name = (self.parent_path() / "durable-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  [[nodiscard]] std::string file(const char* name = "shop.db") const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

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

enum class until {
  committed,  // nothing is delivered: the messages are for another year
  handled
};

/// A file, whose routes run on the thread that sends.
struct shop {
  scratch_folder folder;
  asio::io_context here{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{here.get_executor()};
  msgbus::async::consumer billing{here.get_executor()};
  std::shared_ptr<msgbus::durable::database> db;
  std::uint64_t committed = 0;
  std::uint64_t handled = 0;
  std::uint64_t goal = 0;
  std::shared_ptr<histogram> each = std::make_shared<histogram>();
  steady_clock::time_point begun;

  shop() {
    billing.handler([this](const stored_order&) {
      ++handled;
      clobber();
    });
    run(open_file());
    db->route<stored_order>("billing", billing);
  }
  ~shop() {
    run(drain());
    db.reset();
  }
  asio::awaitable<void> open_file() {
    msgbus::durable::open_options options;
    options.file = folder.file();
    auto opening = msgbus::durable::open(here.get_executor(), std::move(options));
    db = co_await std::move(opening);
  }
  asio::awaitable<void> drain() {
    auto draining = db->drain(std::chrono::seconds(30));
    if (!co_await std::move(draining)) std::abort();
  }
  /// Runs it to its end. The work of the file goes on with the context.
  void run(asio::awaitable<void> what) {
    bool done = false;
    asio::co_spawn(here, std::move(what), [&done](std::exception_ptr failure) {
      must_succeed(failure);
      done = true;
    });
    while (!done) here.run_one();
  }

  asio::awaitable<void> one(std::uint64_t number, until which) {
    auto work_of_one = [number, which](transaction& t) -> asio::awaitable<void> {
      if (which == until::handled) {
        t.dispatch(stored_order(number));
      } else {
        t.send_at(std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 200)),
                  stored_order(number));
      }
      co_return;
    };
    auto running = db->transaction(work_of_one);
    co_await std::move(running);
    ++committed;
  }
  asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages, until which) {
    while (next < messages) {
      auto running = one(next++, which);
      co_await std::move(running);
    }
  }
  void send(std::uint64_t messages, unsigned coroutines, until which) {
    goal += messages;
    std::uint64_t next = 0;
    for (unsigned i = 0; i < coroutines; ++i) {
      asio::co_spawn(here, some_of(next, messages, which), must_succeed);
    }
    while (committed < goal) here.run_one();
    while (which == until::handled && handled < goal) here.run_one();
  }
  /// One after the other, each of them timed.
  void send_timed(std::uint64_t messages, until which) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      begun = steady_clock::now();
      if (which == until::committed) {
        // The same transaction as below: it is delivered, and nobody waits for that.
        run(one(i, until::handled));
        ++goal;
      } else {
        send(1, 1, until::handled);
      }
      const auto took = steady_clock::now() - begun;
      each->add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
      while (handled < goal) here.run_one();
    }
  }
};

contender transactions(std::string name, unsigned coroutines, until which,
                       role what = role::project) {
  auto make = [coroutines, which] {
    auto made = std::make_shared<shop>();
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

#ifdef MSGBUS_BENCH_WITH_NATS

namespace {

contender storing() {
  struct state {
    plain_stream stream{"w4"};
    asio::io_context here{1};
    msgbus::bridge out = connected(here.get_executor());
    const msgbus::store_options how;
    std::uint64_t stored = 0;

    asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages) {
      while (next < messages) {
        const stored_order message(next++);
        auto storing = out.store(message, stream.subject(), how);
        (void)co_await std::move(storing);
        ++stored;
      }
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject over;
    over.handled = [made] { return made->stored; };
    over.send = [made](std::uint64_t messages) {
      std::uint64_t next = 0;
      made->here.restart();
      for (unsigned i = 0; i < at_a_time; ++i) {
        asio::co_spawn(made->here, made->some_of(next, messages), must_succeed);
      }
      made->here.run();
    };
    return over;
  };
  return {"msgbus bridge.store, 256 coroutines", role::baseline, make};
}

contender through_file() {
  struct state {
    plain_stream stream{"w4"};
    shop file;
    msgbus::bridge out = connected(file.here.get_executor());

    state() { file.db->route<blob>(stream.subject(), out); }
    asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages) {
      while (next < messages) {
        auto work = [number = next++](transaction& t) -> asio::awaitable<void> {
          t.dispatch(blob(number));
          co_return;
        };
        auto running = file.db->transaction(work);
        co_await std::move(running);
        ++file.committed;
      }
    }
    [[nodiscard]] std::uint64_t delivered() const { return file.db->stats().delivered; }
    void send(std::uint64_t messages) {
      file.goal += messages;
      std::uint64_t next = 0;
      for (unsigned i = 0; i < at_a_time; ++i) {
        asio::co_spawn(file.here, some_of(next, messages), must_succeed);
      }
      while (delivered() < file.goal) file.here.run_one_for(std::chrono::milliseconds(1));
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject over;
    over.send = [made](std::uint64_t messages) { made->send(messages); };
    over.handled = [made] { return made->delivered(); };
    return over;
  };
  return {"msgbus transactions with a route to a stream, 256 at a time", role::project, make};
}

}  // namespace

workload w4_stream() {
  using enum target::kind;
  workload w{"W4", "Through the file to a NATS stream, 256 at a time", {}, {}};
  w.sample_ms = 100;
  w.contenders = {storing(), through_file()};
  w.targets = {{at_least_times_faster, w.contenders[1].name, 0.8, w.contenders[0].name}};
  return w;
}

#endif

}  // namespace bench
