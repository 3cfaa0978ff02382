#include <msgbus/bridge/bridge_link.hpp>

#include "support/catch.hpp"

#include <memory>
#include <sstream>
#include <string>

namespace bridge_link_test {

namespace {

class counted_link final : public msgbus::bridging::link_state {
 public:
  void cancel() noexcept override { ++cancelled; }
  [[nodiscard]] bool active() const noexcept override { return cancelled == 0; }
  [[nodiscard]] msgbus::link_counters stats() const noexcept override { return {.sent = 3}; }
  [[nodiscard]] const std::string& name() const noexcept override { return called; }
  int cancelled = 0;
  const std::string called = "outbound a";
};

}  // namespace

TEST_CASE("a link that was never made is inactive, and has counted nothing") {
  msgbus::bridge_link none;
  none.cancel();
  CHECK_FALSE(none.active());
  CHECK(none.stats().sent == 0);
  CHECK(none.name().empty());
}

TEST_CASE("copies of a link are the same link, and dropping one does nothing") {
  const auto state = std::make_shared<counted_link>();
  msgbus::bridge_link one(state);
  {
    msgbus::bridge_link dropped = one;
    CHECK(dropped.name() == "outbound a");
  }
  CHECK(one.active());
  CHECK(one.stats().sent == 3);
  msgbus::bridge_link other = one;
  other.cancel();
  CHECK_FALSE(one.active());
  CHECK(state->cancelled == 1);
}

TEST_CASE("the counters of a link are printed with their members") {
  std::ostringstream out;
  out << msgbus::link_counters{.sent = 1, .received = 2, .shortened = 3};
  CHECK(out.str() ==
        "link_counters{.sent = 1, .unsent = 0, .waiting = 0, .received = 2, .redelivered = 0, "
        ".admitted = 0, .undecodable = 0, .refused = 0, .dropped = 0, .answered = 0, .errors = 0, "
        ".acks = 0, .naks = 0, .dead_lettered = 0, .unsettled = 0, .in_flight = 0, .shortened = 3, "
        ".replayed = 0}");
}

}  // namespace bridge_link_test
