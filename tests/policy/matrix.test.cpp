// Every part of a policy with every other, in random scripts, against a model that says which runs
// of the handler there must be, and when.

#include "policy/running.hpp"

#include <msgbus/detail/policy/breaker_machine.hpp>
#include <msgbus/detail/policy/duplicates.hpp>
#include <msgbus/detail/policy/token_bucket.hpp>

#include "policy/backoff.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <random>
#include <tuple>

namespace matrix_test {

using asio::awaitable;
using msgbus::async::dead_letters;
using msgbus::detail::breaker_machine;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;
using time_point = std::chrono::steady_clock::time_point;

namespace {

// All but `once`, whose ids are in a database: tests/durable/once_policies.test.cpp.
enum part {
  executor,
  semaphore,
  permits,
  timeout,
  breaker,
  retries,
  deadline,
  rate,
  duplicates,
  parts
};
using switches = std::array<bool, parts>;

enum class end { well, fails, final };

/// How long the runs of a message's handler take, and how they end.
struct script {
  std::vector<int> ids;
  bool is_plain;  // the handler is no coroutine: what takes time blocks, and is not interrupted
  std::array<duration, 12> takes;
  std::array<end, 12> ends;
  [[nodiscard]] std::size_t at(int id, std::size_t attempt) const {
    return (static_cast<std::size_t>(id) * 5 + attempt) % takes.size();
  }
  [[nodiscard]] duration time_of(std::size_t at, const switches& on) const {
    // Where nothing else looks at the clock, a breaker counts a plain handler when it begins.
    return is_plain && on[breaker] && !is_looked_at(on) ? duration::zero() : takes[at];
  }
  [[nodiscard]] static bool is_looked_at(const switches& on) { return on[timeout] || on[deadline]; }
};

struct run {
  int id;
  std::size_t attempt;
  duration at;
  friend bool operator==(const run&, const run&) = default;
  friend std::ostream& operator<<(std::ostream& out, const run& r) {
    return out << r.id << '/' << r.attempt << '@'
               << std::chrono::duration_cast<std::chrono::milliseconds>(r.at).count();
  }
};

struct outcome {
  std::vector<run> runs;
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;
  std::uint64_t overran = 0;
};

// No two of these times meet: runs take whole seconds, and all else but the last one tenths. Where
// an attempt takes exactly its time, handler and timer may both be the first.
constexpr duration time_limit = 2500ms;
constexpr duration all_limit = 7301ms;
const msgbus::retry again{.attempts = 4, .backoff = 700ms, .jitter = 0};
const msgbus::breaker_options opening{
    .failure_ratio = 0.5, .minimum = 2, .sampling = 20s, .open_for = 3100ms, .max_open_for = 9s};
const msgbus::rate_limit pace{.permits = 1, .per = 1900ms, .burst = 2};
constexpr duration window = 11s;
constexpr duration held_by_other = 4050ms;  // the only permit of the semaphore, from the start

/// What must happen to messages that are all there at the start, in a mailbox of one loop.
outcome model(const script& s, const switches& on) {
  outcome expected;
  breaker_machine machine({opening.failure_ratio, opening.minimum, opening.sampling,
                           opening.open_for, opening.max_open_for, 1});
  msgbus::detail::token_bucket bucket(pace.permits, pace.per, pace.burst);
  msgbus::detail::duplicates known(window, 100);
  time_point now{};
  for (const int id : s.ids) {
    const std::string key = std::to_string(id);
    using seen = msgbus::detail::duplicates::seen;
    msgbus::detail::duplicates::entry* begun = nullptr;
    if (on[duplicates]) {
      const auto answer = known.begin(key, now);
      if (answer.was == seen::handled) {
        ++expected.handled;
        continue;
      }
      begun = answer.begun;
    }
    const time_point taken = now;
    time_point ended = now;
    while (on[rate] && !bucket.try_take(now)) now += bucket.until_available(1, now);
    const time_point until = on[deadline] ? now + all_limit : time_point::max();
    bool well = false;
    for (std::size_t made = 0;;) {
      breaker_machine::ticket ticket;
      while (on[breaker] && now < until && !machine.try_enter(now, ticket)) {
        now = std::min(machine.retry_at(), until);
      }
      if (on[breaker] && now >= until) break;
      duration longest = on[timeout] ? time_limit : duration::max();
      if (on[deadline]) longest = std::min(longest, until - now);
      // The wait for the semaphore is part of the attempt, which then may end without a run.
      const time_point begins = on[semaphore] ? std::max(now, time_point(held_by_other)) : now;
      const bool begun_late = begins - now > longest;
      bool too_slow = false;
      bool is_final = false;
      if (begun_late) {
        now += longest;
      } else {
        expected.runs.push_back({id, ++made, begins - time_point{}});
        const std::size_t at = s.at(id, made);
        const duration takes = begins - now + s.time_of(at, on);
        too_slow = takes > longest;
        if (too_slow) ++expected.overran;
        now += s.is_plain ? takes : std::min(takes, longest);
        well = (s.is_plain || !too_slow) && s.ends[at] == end::well;
        is_final = !too_slow && s.ends[at] == end::final;
      }
      using verdict = breaker_machine::verdict;
      if (on[breaker]) {
        machine.leave(ticket,
                      well                     ? verdict::succeeded
                      : is_final || begun_late ? verdict::ignored
                                               : verdict::failed,
                      now);
      }
      // Where nobody looks at the clock, the key of a plain handler is remembered from its start.
      const bool is_at_once = s.is_plain && !s.is_looked_at(on) && !on[executor] && made == 1;
      ended = is_at_once && begins == taken ? taken : now;
      const std::size_t counted = std::max<std::size_t>(made, 1);
      if (well || is_final || !on[retries] || counted == again.attempts) break;
      const duration pause = msgbus::detail::backoff_before(counted + 1, again, 1);
      if (now + pause >= until) break;
      now += pause;
    }
    ++(well ? expected.handled : expected.failed);
    if (begun) well ? known.handled(*begun, ended) : known.forget(*begun);
  }
  return expected;
}

script random_script(std::mt19937& random) {
  script s;
  for (std::size_t n = 1 + random() % 6; n != 0; --n)
    s.ids.push_back(static_cast<int>(random() % 4));
  s.is_plain = random() % 3 == 0;
  for (duration& each : s.takes) each = std::chrono::seconds(random() % 4);
  for (end& each : s.ends) {
    const auto drawn = random() % 10;
    each = drawn < 4 ? end::well : drawn < 9 ? end::fails : end::final;
  }
  return s;
}

using permits_of_all = std::shared_ptr<msgbus::async::semaphore>;

/// Another user of the semaphore.
awaitable<void> hold(permits_of_all held) {
  struct release_at_end {
    permits_of_all of;
    ~release_at_end() { of->release(); }
  } const at_end{held};
  co_await msgbus::exec::sleep(held_by_other);
}

struct scripted {
  scripted(const script& s, const switches& on, msgbus::async::mailbox_options options = {},
           bool holds_order = true)
      : t(options) {
    msgbus::policy how{.dead_letters = letters};
    if (on[executor]) how.executor = t.context.get_executor();
    if (on[semaphore]) {
      how.semaphore = connections;
      REQUIRE(connections->try_acquire());
      asio::co_spawn(t.context, hold(connections), asio::detached);
    }
    if (on[permits]) how.max_concurrent = 1;
    if (on[timeout]) how.timeout = time_limit;
    if (on[breaker]) how.breaker = shared_breaker;
    if (on[retries]) how.retry = again;
    how.retry.hold_order = holds_order;
    if (on[deadline]) how.deadline = all_limit;
    if (on[rate]) how.rate_limit.limiter = limiter;
    if (on[duplicates]) {
      how.deduplicate = {.window = window, .key = [](const msgbus::any_event& event) {
                           return std::to_string(event.get_if<placed>()->id);
                         }};
    }
    if (s.is_plain) {
      t.events.handler(
          [this, s, on](const placed& event, const msgbus::context& known) {
            const std::size_t at = begin(s, event, known);
            t.clock.advance(s.time_of(at, on));
            leave(s.ends[at]);
          },
          std::move(how));
    } else {
      t.events.handler(
          [this, s](const placed& event, const msgbus::context& known) -> awaitable<void> {
            const std::size_t at = begin(s, event, known);
            if (s.takes[at] != 0s) co_await msgbus::exec::sleep(s.takes[at]);
            leave(s.ends[at]);
          },
          std::move(how));
    }
    for (const int id : s.ids) (void)t.events.post(placed{id});
  }
  std::size_t begin(const script& s, const placed& event, const msgbus::context& known) {
    const std::size_t attempt = known.attempt();
    seen.runs.push_back({event.id, attempt, t.since_start()});
    return s.at(event.id, attempt);
  }
  static void leave(end how) {
    if (how == end::final) throw std::bad_alloc();
    if (how == end::fails) throw std::runtime_error("down");
  }
  void check_at_rest() const {
    const auto counted = t.events.stats();
    REQUIRE(msgbus_test::is_conserved(counted));
    REQUIRE(letters->size() == counted.failed);
    REQUIRE(limiter->waiting() == 0);
    REQUIRE(connections->available() == 1);
  }

  std::shared_ptr<dead_letters> letters = std::make_shared<dead_letters>();
  std::shared_ptr<msgbus::circuit_breaker> shared_breaker =
      std::make_shared<msgbus::circuit_breaker>(opening);
  permits_of_all connections = std::make_shared<msgbus::async::semaphore>(1);
  std::shared_ptr<msgbus::rate_limiter> limiter = std::make_shared<msgbus::rate_limiter>(pace);
  outcome seen;
  msgbus::testing::probe watching;  // so that nothing is said on stderr
  running t;
};

/// Calls `f` with random scripts, until every two parts were on together in so many of them.
template <class F>
void for_each_pair(int scripts, F f) {
  std::mt19937 random(2024);
  std::array<std::array<int, parts>, parts> missing{};
  for (std::size_t one = 0; one < parts; ++one) {
    for (std::size_t other = 0; other < one; ++other) missing[one][other] = scripts;
  }
  const auto is_missing = [](const auto& each) { return std::ranges::max(each) > 0; };
  while (std::ranges::any_of(missing, is_missing)) {
    switches on{};
    for (bool& each : on) each = random() % 3 == 0;
    for (std::size_t one = 0; one < parts; ++one) {
      for (std::size_t other = 0; other < one; ++other) {
        if (on[one] && on[other]) --missing[one][other];
      }
    }
    f(random_script(random), on, random);
  }
}

}  // namespace

TEST_CASE("every two parts of a policy follow the model, in random scripts", "[P1][P2][P3]") {
  for_each_pair(200, [](const script& s, const switches& on, std::mt19937&) {
    scripted real(s, on);
    real.t.events.observe(real.watching);
    real.t.pass(10min);
    const outcome expected = model(s, on);
    const auto counted = real.t.events.stats();
    REQUIRE(real.seen.runs == expected.runs);
    REQUIRE(counted.handled == expected.handled);
    REQUIRE(counted.failed == expected.failed);
    REQUIRE(counted.overran == expected.overran);
    real.check_at_rest();
  });
}

TEST_CASE("a drain at any time leaves every message in one outcome", "[P2]") {
  for_each_pair(60, [](const script& s, const switches& on, std::mt19937& random) {
    scripted real(s, on, {.concurrency = 1 + random() % 3}, random() % 2 == 0);
    real.t.events.observe(real.watching);
    real.t.pass(std::chrono::milliseconds(random() % 20'000));
    const auto report = real.t.clock.run(real.t.context, real.t.events.drain(1s));
    const auto counted = real.t.events.stats();
    REQUIRE(counted.accepted == s.ids.size());
    REQUIRE(report.abandoned == counted.abandoned);
    real.t.pass(1h);
    real.check_at_rest();
  });
}

TEST_CASE("a close at any time lets every message end", "[P2]") {
  for_each_pair(60, [](const script& s, const switches& on, std::mt19937& random) {
    scripted real(s, on, {.concurrency = 1 + random() % 3}, random() % 2 == 0);
    real.t.events.observe(real.watching);
    real.t.pass(std::chrono::milliseconds(random() % 20'000));
    real.t.events.close();
    real.t.pass(1h);
    REQUIRE(real.t.events.stats().abandoned == 0);
    real.check_at_rest();
  });
}

TEST_CASE("a cancelled verb leaves nothing behind, whatever it waits for", "[P2][A9]") {
  for_each_pair(60, [](const script& s, const switches& on, std::mt19937& random) {
    scripted real(s, on);
    real.t.events.observe(real.watching);
    std::vector<msgbus::testing::spawned<std::size_t>> calls;
    for (const int id : s.ids) {
      calls.push_back(real.t.context.spawn(real.t.events.consume(placed{id})));
    }
    real.t.pass(std::chrono::milliseconds(random() % 20'000));
    for (auto& each : calls) each.cancel();
    real.t.pass(1h);
    for (auto& each : calls) REQUIRE(each.done());
    real.check_at_rest();
  });
}

TEST_CASE("a destroyed component leaves no permit taken", "[P2][A12]") {
  for_each_pair(60, [](const script& s, const switches& on, std::mt19937& random) {
    auto real =
        std::make_unique<scripted>(s, on, msgbus::async::mailbox_options{}, random() % 2 == 0);
    real->t.events.observe(real->watching);
    const auto connections = real->connections;
    const auto limiter = real->limiter;
    const auto letters = real->letters;
    real->t.pass(std::chrono::milliseconds(random() % 20'000));
    real.reset();
    REQUIRE(limiter->waiting() == 0);
    REQUIRE(connections->available() == 1);
    const auto counted = letters->stats();
    REQUIRE(counted.added == letters->size());
  });
}

}  // namespace matrix_test
