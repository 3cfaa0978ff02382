// The load driver: replays recorded traffic over many connections, and proves from the answers that
// what went in came out. --help lists the options.
//
// Give it a server that has just started, and the file of its audit log. With --through-shutdown it
// goes on until the server stops, and then checks what was answered until then; with --through-kill
// until it is killed, and what followers have missed does not matter. With
// --through-faults the server may have done other work before, and what is behind it may be away
// for a while: then what was answered must still be true.

#include <asio.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "client/link.hpp"
#include "client/load.hpp"
#include "command_line.hpp"

namespace load {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct options {
  std::uint16_t port = 0;
  std::string traffic;
  std::string audit;
  std::string placed;
  std::string figures;
  int seconds = 10;
  int connections = 64;
  bool no_flood = false;
  bool through_shutdown = false;
  bool through_faults = false;
  bool through_kill = false;
};

options read_options(int argc, char** argv) {
  options given;
  exchange::command_line line("example_load",
                              "Replays recorded traffic, and proves that what went in came out.");
  line.port(given.port, 1, "where the server listens on this machine");
  line.require("--port");
  line.file("--traffic", given.traffic, "the recording: examples/data/traffic.jsonl");
  line.require("--traffic");
  line.file("--audit", given.audit, "the server's audit log, to be compared");
  line.text("--placed", given.placed, "the numbers of the orders that were placed are added here");
  line.text("--figures", given.figures, "what was measured is written to this file, as JSON");
  line.number("--seconds", given.seconds, 1, 3600, "how long traffic flows");
  line.number("--connections", given.connections, 1, 900, "clients that play the recording");
  line.flag("--no-flood", given.no_flood, "no client sends many commands before it reads");
  line.flag("--through-shutdown", given.through_shutdown, "until the server stops");
  line.flag("--through-faults", given.through_faults,
            "what is behind the server may be away for a while; no flood either");
  line.flag("--through-kill", given.through_kill,
            "until the server is killed, which may have done other work before");
  line.read(argc, argv);
  given.through_shutdown = given.through_shutdown || given.through_kill;
  given.through_faults = given.through_faults || given.through_kill;
  return given;
}

// --- Progress. -----------------------------------------------------------------------------------

struct server_state {
  std::string waiting;
  bool quiet = true;
  std::int64_t memory_kib = 0;
  std::string note;
};

asio::awaitable<server_state> state_of(link& server) {
  const json stats = co_await ask(server, "{\"id\":1,\"do\":\"stats\"}");
  server_state state;
  for (const auto& [name, component] : stats.at("components").items()) {
    const auto open = component.at("open").get<std::int64_t>();
    if (open != 0) {
      state.waiting += (state.waiting.empty() ? "" : ", ") + name + " " + std::to_string(open);
    }
    state.quiet = state.quiet && open == 0;
  }
  state.memory_kib = stats.at("memory_kib").get<std::int64_t>();
  if (stats.contains("note")) state.note = stats["note"].get<std::string>() + "; ";
  co_return state;
}

void print_progress(int second, run& all, std::uint64_t answered, const server_state& state) {
  std::printf("%4d s %8llu answers/s  p50 %6.2f ms  p99 %6.2f ms  %3lld MiB  %sopen: %s\n", second,
              static_cast<unsigned long long>(answered), all.tally.second.quantile_ms(0.5),
              all.tally.second.quantile_ms(0.99), static_cast<long long>(state.memory_kib / 1024),
              state.note.c_str(), state.waiting.empty() ? "nothing" : state.waiting.c_str());
  std::fflush(stdout);
  all.tally.second.clear();
}

// --- Proof. --------------------------------------------------------------------------------------

void judge(run& all, bool right, const std::string& sentence) {
  std::printf("  %s %s\n", right ? "ok    " : "FAILED", sentence.c_str());
  if (!right) all.fail(sentence);
}

sums sums_of(const json& totals) {
  const auto number = [&](const char* name) { return totals.at(name).get<std::int64_t>(); };
  return {number("accounts"),  number("deposited"),     number("withdrawn"),
          number("set_aside"), number("orders_placed"), number("orders_cancelled")};
}

std::string text(std::uint64_t count) { return std::to_string(count); }

void judge_answers(run& all) {
  const tally& sum = all.tally;
  if (all.through_shutdown) {
    judge(all, sum.answered > 0 && sum.answered <= sum.sent,
          text(sum.answered) + " commands answered before the server stopped, " +
              text(sum.sent - sum.answered) + " not read by it any more");
  } else {
    judge(all, sum.answered > 0 && sum.answered == sum.sent,
          "every command answered exactly once, and as recorded: " + text(sum.sent) + " sent, " +
              text(sum.answered) + " answered");
  }
  std::string list;
  for (const auto& [outcome, times] : sum.outcomes) list += "  " + outcome + " " + text(times);
  std::printf("        %s\n", list.c_str());
}

void judge_totals(run& all, const char* whose, const json& totals) {
  const sums answered = all.tally.sums();
  const auto balances = totals.at("balances").get<std::int64_t>();
  judge(all,
        sums_of(totals) == answered &&
            balances == answered.deposited - answered.withdrawn - answered.set_aside,
        std::string(whose) + " what the answers said: " + text(totals.at("accounts")) +
            " accounts, " + std::to_string(balances) + " cents in them and " +
            std::to_string(answered.set_aside) + " set aside, " + text(totals.at("orders_placed")) +
            " orders placed and " + text(totals.at("orders_cancelled")) + " cancelled");
}

// Commands whose answers got lost may have been carried out all the same.
void judge_at_least(run& all, const sums& before, const json& totals) {
  const sums& answered = all.tally.sums();
  const sums held = sums_of(totals);
  judge(all,
        held.accounts >= before.accounts + answered.accounts &&
            held.deposited >= before.deposited + answered.deposited &&
            held.withdrawn >= before.withdrawn + answered.withdrawn &&
            held.orders_placed >= before.orders_placed + answered.orders_placed &&
            held.orders_cancelled >= before.orders_cancelled + answered.orders_cancelled,
        "the books hold what the answers said, and commands whose answers were lost: " +
            std::to_string(held.orders_placed - before.orders_placed) + " orders placed, " +
            std::to_string(answered.orders_placed) + " of them answered");
}

void judge_audit(run& all, const std::string& file) {
  const audited log = read_audit(file);
  judge(all, log.lines == all.tally.events() && log.in_order && log.sums == all.tally.sums(),
        "the audit log holds what was accepted, once and in order: " + text(log.lines) +
            " lines for " + text(all.tally.events()) + " events");
}

void judge_followers(run& all) {
  for (const followed& each : all.followers) {
    const std::uint64_t published = all.tally.notices(each.prefix);
    judge(all, each.received + each.told_dropped == published,
          std::string(each.slow ? "slow follower" : "follower") + " of " + each.pattern + ": " +
              text(each.received) + " received + " + text(each.told_dropped) +
              " reported as dropped = " + text(published) + " published");
  }
}

void note_placed(run& all, const std::string& file) {
  if (file.empty()) return;
  std::ofstream out(file, std::ios::app);
  for (const std::int64_t order : all.tally.orders) out << order << '\n';
  if (!out.flush()) all.fail("'" + file + "' cannot be written");
}

// --- Figures. ------------------------------------------------------------------------------------

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Of the time while traffic flowed.
struct figures {
  double seconds = 0;
  std::uint64_t answered = 0;
  double cpu = 0;  // of the driver
  std::vector<std::uint64_t> each_second;
};

void write_figures(run& all, const figures& of, const std::string& file) {
  if (file.empty()) return;
  const json written = {{"seconds", of.seconds},
                        {"answered", of.answered},
                        {"driver_cpu_seconds", of.cpu},
                        {"p50_ms", all.tally.whole.quantile_ms(0.5)},
                        {"p99_ms", all.tally.whole.quantile_ms(0.99)},
                        {"answered_each_second", of.each_second}};
  std::ofstream out(file);
  out << written.dump() << '\n';
  if (!out.flush()) all.fail("'" + file + "' cannot be written");
}

// --- The driver. ---------------------------------------------------------------------------------

void spawn(run& all, asio::any_io_executor executor, const char* who, asio::awaitable<void> part) {
  ++all.playing;
  asio::co_spawn(executor, std::move(part), [&all, who](const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failed) {
      if (!all.through_shutdown) all.fail(std::string(who) + ": " + failed.what());
    }
    all.count(all.playing, -1);
  });
}

asio::awaitable<void> until(run& all, const int& count, int wanted) {
  std::error_code ignored;
  while (count != wanted) {
    co_await all.changed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

// A follower says nothing: its connection must not be closed for that.
asio::awaitable<void> keep_followers_open(run& all) {
  for (followed& each : all.followers) co_await keep_open(each);
}

asio::awaitable<void> report_progress(run& all, link& control, int seconds, figures& of) {
  const clock::time_point begin = clock::now();
  std::uint64_t before = 0;
  for (int second = 1; second <= seconds; ++second) {
    asio::steady_timer timer(control.executor());
    timer.expires_at(begin + std::chrono::seconds(second));
    co_await timer.async_wait(asio::use_awaitable);
    co_await keep_followers_open(all);
    const server_state state = co_await state_of(control);
    print_progress(second, all, all.tally.answered - before, state);
    of.each_second.push_back(all.tally.answered - before);
    before = all.tally.answered;
  }
}

// Until the server stops answering.
asio::awaitable<void> watch(run& all, link& control) {
  figures unused;
  co_await report_progress(all, control, 3600, unused);
}

// What has begun takes its time on a slow machine.
asio::awaitable<void> until_played(run& all, int followers) {
  while (all.playing != followers) {
    co_await keep_followers_open(all);
    co_await pause(20ms);
  }
}

asio::awaitable<void> until_quiet(run& all, link& control) {
  for (bool quiet = false; !quiet;) {
    co_await keep_followers_open(all);
    co_await pause(20ms);
    const server_state state = co_await state_of(control);
    quiet = state.quiet;
  }
}

asio::awaitable<void> drive(run& all, options given) {
  const auto executor = co_await asio::this_coro::executor;
  link control(executor);
  co_await control.open(all.server);
  const json before = co_await ask(control, "{\"id\":1,\"do\":\"summary\"}");
  if (!all.through_faults && sums_of(before) != sums()) {
    throw std::runtime_error("the server has carried out commands before; it must be a new one");
  }

  all.followers = {{.pattern = ">"},
                   {.pattern = "orders.>", .prefix = "orders."},
                   {.pattern = "orders.ACME.*", .prefix = "orders.ACME."},
                   {.pattern = ">", .slow = true}};
  const int followers = static_cast<int>(all.followers.size());
  for (followed& each : all.followers) spawn(all, executor, "a follower", follow(all, each));
  co_await until(all, all.following, followers);
  for (std::size_t each = 0; each < all.connections; ++each) {
    spawn(all, executor, "a player", play(all, each));
  }
  if (all.flooding) spawn(all, executor, "the flooder", flood(all));
  const bool strange = !all.through_shutdown && !all.through_faults;
  std::printf("%zu recorded sessions on %zu connections, %d followers (one is slow)%s%s%s\n",
              all.traffic.size(), all.connections, followers, all.flooding ? ", a flooder" : "",
              strange ? ", and rude strangers" : "",
              all.through_shutdown ? "; until the server stops" : "");
  std::fflush(stdout);

  figures measured;
  const double cpu_before = cpu_seconds();
  const clock::time_point begin = clock::now();
  if (all.through_shutdown) {
    spawn(all, executor, "progress", watch(all, control));
    co_await until(all, all.playing, 0);
    judge_answers(all);
    if (!given.audit.empty()) judge_audit(all, given.audit);
    if (!given.through_kill) judge_followers(all);
    note_placed(all, given.placed);
    co_return;
  }
  if (strange) spawn(all, executor, "a stranger", come_and_go(all));
  co_await report_progress(all, control, given.seconds, measured);
  measured.seconds = std::chrono::duration<double>(clock::now() - begin).count();
  measured.answered = all.tally.answered;
  measured.cpu = cpu_seconds() - cpu_before;
  all.over = true;
  co_await until_played(all, followers);
  if (!all.through_faults) co_await until_quiet(all, control);  // what got lost never arrives
  all.all_is_published = true;
  for (followed& each : all.followers) co_await leave(each);
  co_await until(all, all.playing, 0);

  const json summary = co_await ask(control, "{\"id\":2,\"do\":\"summary\"}");
  const json books = co_await ask(control, "{\"id\":3,\"do\":\"books\"}");
  const server_state state = co_await state_of(control);
  std::printf("report\n");
  judge_answers(all);
  if (all.through_faults) {
    judge_at_least(all, sums_of(before), books);
  } else {
    judge_totals(all, "the books hold", books);
    judge_totals(all, "the read model holds", summary);
    if (!given.audit.empty()) judge_audit(all, given.audit);
    judge_followers(all);
  }
  if (all.flooding) {
    using ms = std::chrono::milliseconds;
    judge(all, all.floods > 0 && all.longest_hold > 200ms,
          "floods that were held back and answered: " + text(all.floods) + ", for up to " +
              std::to_string(std::chrono::duration_cast<ms>(all.longest_hold).count()) + " ms");
  }
  if (strange) {
    judge(all, all.strangers > 0,
          "strangers (too long a line, half closed, reset, byte by byte): " + text(all.strangers));
  }
  note_placed(all, given.placed);
  std::printf("  %.0f answers/s, p50 %.2f ms, p99 %.2f ms; the server uses %lld MiB\n",
              static_cast<double>(measured.answered) / measured.seconds,
              all.tally.whole.quantile_ms(0.5), all.tally.whole.quantile_ms(0.99),
              static_cast<long long>(state.memory_kib / 1024));
  write_figures(all, measured, given.figures);
}

int start(const options& given) {
  asio::io_context io(1);
  run all(io.get_executor(), {asio::ip::address_v4::loopback(), given.port},
          read_recording(given.traffic));
  all.connections = static_cast<std::size_t>(given.connections);
  all.through_shutdown = given.through_shutdown;
  all.through_faults = given.through_faults;
  all.flooding = !given.no_flood && !given.through_faults;

  bool ended = false;
  asio::co_spawn(io, drive(all, given), [&](const std::exception_ptr& error) {
    ended = true;
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failed) {
      all.fail(failed.what());
    }
    io.stop();
  });
  const int most = given.seconds + 60;
  io.run_for(std::chrono::seconds(most));
  if (!ended) all.fail("the run has not ended after " + std::to_string(most) + " s");
  for (const std::string& each : all.failures) std::printf("FAILED: %s\n", each.c_str());
  std::printf("%s\n", all.failures.empty() ? "passed: what went in came out" : "failed");
  return all.failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace load

int main(int argc, char** argv) {
  try {
    return load::start(load::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "client: %s\n", error.what());
    return 2;
  }
}
