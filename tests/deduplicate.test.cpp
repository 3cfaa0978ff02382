#include <msgbus/deduplicate.hpp>

#include "support/catch.hpp"

namespace deduplicate_test {

using namespace std::chrono_literals;

TEST_CASE("deduplication is plain until it has a window") {
  CHECK(msgbus::deduplicate{}.is_plain());
  CHECK(msgbus::deduplicate{.capacity = 5}.is_plain());
  CHECK_FALSE(msgbus::deduplicate{.window = 1s}.is_plain());
}

}  // namespace deduplicate_test
