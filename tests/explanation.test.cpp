#include <msgbus/explanation.hpp>

#include "support/catch.hpp"

#include <sstream>

namespace explanation_test {

using msgbus::explanation;

TEST_CASE("an explanation lists the handlers that run, and the others with the reason") {
  explanation made;
  made.question = "order, dispatched by the producer";
  explanation::entry runs;
  runs.component = "the consumer \"audit\"";
  runs.handler.label = "handler of order";
  runs.handler.attached_at = {"audit.cpp", 41};
  runs.handler.policy = "timeout 2 s";
  runs.executor = "io_context 1";
  runs.pattern = "orders.*";
  runs.reasons = {"the circuit breaker \"bank\" is open"};
  explanation::entry other;
  other.component = "the consumer \"mail\"";
  other.handler.label = "handler of refund";
  other.reasons = {"it takes refund, not order"};
  made.run = {runs};
  made.others = {other};
  made.notes = {"a note"};
  CHECK(made.text() ==
        "order, dispatched by the producer: 1 handler runs\n"
        "  1. the consumer \"audit\": handler of order, at audit.cpp:41\n"
        "     on io_context 1\n"
        "     by the pattern 'orders.*'\n"
        "     with timeout 2 s\n"
        "     the circuit breaker \"bank\" is open\n"
        "these do not run:\n"
        "  -  the consumer \"mail\": handler of refund\n"
        "     it takes refund, not order\n"
        "note: a note\n");
  std::ostringstream out;
  out << made;
  CHECK(out.str() == made.text());
  CHECK(made.arrives());
}

TEST_CASE("an explanation of nothing says that no handler runs", "[O3]") {
  explanation made;
  made.question = "odd\nname";
  CHECK(made.text() == "odd\\nname: no handler runs\n");
  CHECK_FALSE(made.arrives());
}

}  // namespace explanation_test
