#include <msgbus/detail/observe/describer.hpp>

#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/producer.hpp>

#include "support/catch.hpp"

namespace describer_test {

namespace {
struct other {};
}  // namespace

TEST_CASE("components describe themselves, and other objects do not") {
  using msgbus::detail::described_by_itself;
  CHECK(described_by_itself<msgbus::sync::consumer>);
  CHECK(described_by_itself<msgbus::sync::producer>);
  CHECK_FALSE(described_by_itself<other>);
}

}  // namespace describer_test
