#include "core/say.hpp"

#include "support/catch.hpp"
#include "support/stderr_of.hpp"

#include <stdexcept>
#include <string>

namespace say_test {

using msgbus_test::stderr_of;

TEST_CASE("an error that nobody waits for is one line, whatever bytes it holds", "[A8]") {
  const auto failure = std::make_exception_ptr(std::runtime_error("two\nlines"));
  CHECK(stderr_of([&] {
          msgbus::detail::say({"a handler of ", "a\r\nb", " failed: "}, failure);
        }) == "msgbus: a handler of a\\r\\nb failed: two\\nlines\n");
}

TEST_CASE("what a callback throws is one line that names the callback") {
  const std::string text = stderr_of([] {
    try {
      throw std::runtime_error("no disk");
    } catch (...) {
      msgbus::detail::say_thrown_by("an observer");
    }
  });
  CHECK(text == "msgbus: an observer threw an exception, which it must not do: no disk\n");
}

}  // namespace say_test
