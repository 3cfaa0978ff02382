// P1 to P4: what the parts of a policy cost a message while nothing goes wrong, beside the same
// handler without a policy, and beside what one would write by hand inside the handler.

#include "async_buses.hpp"
#include "awaiting.hpp"
#include "by_hand.hpp"
#include "workloads.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <utility>

namespace bench {

namespace {

using msgbus::policy;
using namespace std::chrono_literals;

/// A consumer with one handler, on the thread that awaits it.
struct guarded {
  template <class F>
  guarded(F handler, policy how) {
    bus.handler(std::move(handler), std::move(how));
  }
  asio::io_context context{1};
  msgbus::async::consumer bus{context.get_executor()};
};

/// `make` gives the handler, `how` its policy; both anew for each round.
template <class Make, class How>
contender handled(std::string name, role what, Make make, How how) {
  return {std::move(name), what, [make, how] {
            return awaiting(std::make_shared<guarded>(make(), how()),
                            [](guarded& to, std::uint64_t i) {
                              return to.bus.consume(order_created{i, 9.99});
                            });
          }};
}

/// The same, with posted messages, which a consumer loop handles.
template <class Make, class How>
contender handled_when_posted(std::string name, role what, Make make, How how) {
  return {std::move(name), what, [make, how] {
            auto to = std::make_shared<guarded>(make(), how());
            auto handled = std::make_shared<std::uint64_t>(0);
            return subject{[to, handled](std::uint64_t messages) {
                             const std::uint64_t before = counter;
                             for (std::uint64_t sent = 0; sent < messages;) {
                               const std::uint64_t end = std::min(messages, sent + 500);
                               for (; sent < end; ++sent) {
                                 (void)to->bus.post(order_created{sent, 9.99});
                               }
                               to->context.restart();
                               to->context.poll();
                             }
                             *handled += counter - before;
                           },
                           [handled] { return *handled; }};
          }};
}

policy no_policy() { return {}; }
auto counting() {
  return [](const order_created&) { ++counter; };
}
auto counting_coroutine() {
  return [](const order_created&) -> asio::awaitable<void> {
    ++counter;
    co_return;
  };
}

const std::string bare = "no policy";
constexpr std::size_t plenty = 1'000'000'000;  // permits in a second: nobody waits

workload compared(std::string id, std::string title) {
  workload w{std::move(id), std::move(title), {}, {}};
  w.contenders.push_back(handled(bare, role::baseline, counting, no_policy));
  return w;
}

/// What a part may cost.
void judge(workload& w, const std::string& row, const std::string& without = bare) {
  using enum target::kind;
  w.targets.push_back({at_most_ns_more, row, 100, without});
  w.targets.push_back({at_most_allocations, row, 0.01});
}

}  // namespace

workload p1_breaker() {
  workload w = compared("P1", "A circuit breaker that is closed");
  w.contenders.push_back(handled(
      "by hand: lock, clock, window", role::reference,
      [] {
        return [breaker = std::make_shared<by_hand::breaker>()](const order_created&) {
          if (!breaker->try_enter()) throw std::runtime_error("open");
          ++counter;
          breaker->leave(false);
        };
      },
      no_policy));
  const std::string row = "msgbus policy.breaker";
  w.contenders.push_back(handled(row, role::project, counting, [] {
    return policy{.breaker = std::make_shared<msgbus::circuit_breaker>()};
  }));
  judge(w, row);
  return w;
}

workload p2_rate_limit() {
  workload w = compared("P2", "A rate limit that is not reached");
  w.contenders.push_back(handled(
      "by hand: lock, clock, token bucket", role::reference,
      [] {
        return [bucket = std::make_shared<by_hand::token_bucket>(plenty)](const order_created&) {
          if (!bucket->try_take()) throw std::runtime_error("too many");
          ++counter;
        };
      },
      no_policy));
  const std::string row = "msgbus policy.rate_limit";
  w.contenders.push_back(handled(row, role::project, counting, [] {
    return policy{.rate_limit = {.permits = plenty, .per = 1s}};
  }));
  judge(w, row);
  return w;
}

workload p3_limits_of_runs() {
  workload w = compared("P3", "A limit of runs that is not reached");
  w.contenders.push_back(handled(
      "by hand: std::counting_semaphore", role::reference,
      [] {
        return [permits = std::make_shared<std::counting_semaphore<>>(8)](const order_created&) {
          if (!permits->try_acquire()) throw std::runtime_error("busy");
          ++counter;
          permits->release();
        };
      },
      no_policy));
  const std::string own = "msgbus policy.max_concurrent";
  const std::string shared = "msgbus policy.semaphore";
  w.contenders.push_back(
      handled(own, role::project, counting, [] { return policy{.max_concurrent = 8}; }));
  w.contenders.push_back(handled(shared, role::project, counting, [] {
    return policy{.semaphore = std::make_shared<msgbus::async::semaphore>(8)};
  }));
  judge(w, own);
  judge(w, shared);
  return w;
}

workload p4_other_parts() {
  workload w = compared("P4", "Retries, dead letters, deadlines, deduplication");
  w.contenders.push_back(handled(
      "retries by hand: a loop with try", role::reference,
      [] {
        return [](const order_created&) {
          for (int attempt = 1;; ++attempt) {
            try {
              ++counter;
              return;
            } catch (...) {
              if (attempt == 5) throw;
            }
          }
        };
      },
      no_policy));
  const std::string retries = "msgbus policy.retry and dead_letters";
  w.contenders.push_back(handled(retries, role::project, counting, [] {
    return policy{.retry = {.attempts = 5},
                  .dead_letters = std::make_shared<msgbus::async::dead_letters>()};
  }));
  judge(w, retries);

  const std::string deadline = "msgbus policy.deadline";
  w.contenders.push_back(
      handled(deadline, role::project, counting, [] { return policy{.deadline = 10s}; }));
  judge(w, deadline);
  const std::string timeout = "msgbus policy.timeout";
  w.contenders.push_back(
      handled(timeout, role::project, counting, [] { return policy{.timeout = 10s}; }));
  judge(w, timeout);

  const std::string coroutine = "no policy, coroutine";
  const std::string posted = coroutine + ", posted";
  w.contenders.push_back(handled(coroutine, role::reference, counting_coroutine, no_policy));
  w.contenders.push_back(handled(
      "deadline by hand: handler || timer", role::reference,
      [] {
        return [](const order_created&) -> asio::awaitable<void> {
          using namespace asio::experimental::awaitable_operators;
          asio::steady_timer timer(co_await asio::this_coro::executor, 10s);
          auto work = [](std::uint64_t& count) -> asio::awaitable<void> {
            ++count;
            co_return;
          };
          auto either = work(counter) || timer.async_wait(asio::use_awaitable);
          (void)co_await std::move(either);
        };
      },
      no_policy));
  const std::string awaited = "msgbus policy.deadline, coroutine";
  w.contenders.push_back(
      handled(awaited, role::project, counting_coroutine, [] { return policy{.deadline = 10s}; }));
  judge(w, awaited, coroutine);
  w.contenders.push_back(
      handled_when_posted(posted, role::reference, counting_coroutine, no_policy));
  const std::string sent = "msgbus policy.timeout, coroutine, posted";
  w.contenders.push_back(handled_when_posted(sent, role::project, counting_coroutine,
                                             [] { return policy{.timeout = 10s}; }));
  judge(w, sent, posted);
  // Not the message's number as key: each sample begins with the same one.
  w.contenders.push_back(handled(
      "keys by hand: lock, clock, unordered_map", role::reference,
      [] {
        return [keys = std::make_shared<by_hand::recent_keys>(1000),
                next = std::make_shared<std::uint64_t>(0)](const order_created&) {
          if (keys->is_new(std::to_string(++*next))) ++counter;
        };
      },
      no_policy));
  const std::string duplicates = "msgbus policy.deduplicate";
  w.contenders.push_back(handled(duplicates, role::project, counting, [] {
    auto next = std::make_shared<std::uint64_t>(0);
    return policy{
        .deduplicate = {.window = 10min, .capacity = 1000, .key = [next](const msgbus::any_event&) {
                          return std::to_string(++*next);
                        }}};
  }));
  judge(w, duplicates);
  return w;
}

}  // namespace bench
