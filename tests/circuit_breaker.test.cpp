#include <msgbus/circuit_breaker.hpp>

#include <msgbus/error.hpp>
#include <msgbus/failure.hpp>

#include "policy/breaker_access.hpp"
#include "support/catch.hpp"

#include <sstream>
#include <stdexcept>
#include <vector>

namespace circuit_breaker_test {

using msgbus::circuit_breaker;
using state = circuit_breaker::state;
using access = msgbus::detail::breaker_access;
using verdict = msgbus::detail::breaker_machine::verdict;
using namespace std::chrono_literals;

namespace {

constexpr access::machine::time_point start{1000h};

void call(circuit_breaker& breaker, verdict outcome) {
  const auto given = access::try_enter(breaker, start);
  REQUIRE(given.let_through);
  access::leave(breaker, *given.let_through, outcome, start);
}

verdict verdict_on(const circuit_breaker& breaker, std::exception_ptr failure) {
  msgbus::detail::failures failed;
  if (failure) failed.add(std::move(failure));
  return access::verdict_on(breaker, failed);
}

template <class E>
std::exception_ptr thrown(E e) {
  return std::make_exception_ptr(std::move(e));
}

}  // namespace

TEST_CASE("the states of a breaker have names") {
  CHECK(msgbus::state_name(state::closed) == "closed");
  CHECK(msgbus::state_name(state::open) == "open");
  CHECK(msgbus::state_name(state::half_open) == "half_open");
  CHECK(msgbus::state_name(state::isolated) == "isolated");
  std::ostringstream out;
  out << state::half_open;
  CHECK(out.str() == "half_open");
}

TEST_CASE("a breaker notifies its listener after each change of its state") {
  std::vector<state> states;
  circuit_breaker breaker({.minimum = 1, .on_change = [&](state now) { states.push_back(now); }});
  CHECK(breaker.current() == state::closed);
  call(breaker, verdict::failed);
  CHECK(breaker.current() == state::open);
  breaker.isolate();
  breaker.isolate();
  breaker.reset();
  breaker.reset();
  CHECK(states == std::vector{state::open, state::isolated, state::closed});
}

TEST_CASE("an exception of a listener has no effect") {
  circuit_breaker breaker(
      {.on_change = [](state) { throw std::runtime_error("no more of this"); }});
  breaker.isolate();
  CHECK(breaker.current() == state::isolated);
}

TEST_CASE("a listener may use its breaker") {
  circuit_breaker* there = nullptr;
  state seen = state::closed;
  circuit_breaker breaker({.on_change = [&](state) { seen = there->current(); }});
  there = &breaker;
  breaker.isolate();
  CHECK(seen == state::isolated);
}

TEST_CASE("a refusal names the breaker and the time of its next probe") {
  circuit_breaker breaker({.minimum = 1, .open_for = 5s, .name = "bank"});
  call(breaker, verdict::failed);
  const auto given = access::try_enter(breaker, start + 2s);
  CHECK_FALSE(given.let_through);
  const auto refusal = access::refusal(breaker, given, start + 2s);
  CHECK(msgbus::describe(refusal) == "circuit breaker 'bank' is open: it tries again in 3000 ms");
  CHECK(msgbus::retry_after(refusal) == 3s);
  breaker.isolate();
  const auto isolated = access::refusal(breaker, access::try_enter(breaker, start), start);
  CHECK(msgbus::describe(isolated) ==
        "circuit breaker 'bank' is isolated: it refuses all calls until reset()");
  CHECK_FALSE(msgbus::retry_after(isolated));
}

TEST_CASE("a breaker counts the failures that its filter selects, and never final ones", "[P4]") {
  const circuit_breaker all;
  CHECK(verdict_on(all, nullptr) == verdict::succeeded);
  CHECK(verdict_on(all, thrown(std::runtime_error("down"))) == verdict::failed);
  CHECK(verdict_on(all, thrown(std::bad_alloc())) == verdict::ignored);
  const circuit_breaker choosy({.counts = [](const std::exception_ptr& failure) {
    return msgbus::describe(failure) == "down";
  }});
  CHECK(verdict_on(choosy, thrown(std::runtime_error("down"))) == verdict::failed);
  CHECK(verdict_on(choosy, thrown(std::runtime_error("wrong"))) == verdict::ignored);
  const circuit_breaker broken(
      {.counts = [](const std::exception_ptr&) -> bool { throw std::logic_error("no answer"); }});
  CHECK(verdict_on(broken, thrown(std::runtime_error("down"))) == verdict::failed);
}

}  // namespace circuit_breaker_test
