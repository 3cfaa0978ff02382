#include <msgbus/detail/component/handler_entry.hpp>

#include "support/catch.hpp"

namespace handler_entry_test {

using msgbus::component::keys_of;
using msgbus::component::names_of;

TEST_CASE("an error names types as alternatives") {
  CHECK(names_of(keys_of<>) == "any type");
  CHECK(names_of(keys_of<int>) == "int");
  CHECK(names_of(keys_of<int, double>) == "int | double");
}

TEST_CASE("an entry describes its handler by the accepted types") {
  using msgbus::component::callable_of;
  using function = void (*)();
  function f = [] {};
  const std::array some{msgbus::routing::typed_call{msgbus::detail::key_of<int>, nullptr},
                        msgbus::routing::typed_call{msgbus::detail::key_of<double>, nullptr}};
  const std::array every{msgbus::routing::typed_call{nullptr, nullptr}};
  using msgbus::component::event_entry;
  const msgbus::registered_at here = std::source_location::current();
  CHECK(event_entry(1, some, callable_of<function>, &f, here).describe() ==
        "handler of int | double");
  CHECK(event_entry(1, every, callable_of<function>, &f, here).describe() == "handler of any type");
  const msgbus::component::message_entry messages(1, {"a.*", "b"}, {nullptr, keys_of<int>},
                                                  callable_of<function>, &f, here);
  CHECK(messages.describe() == "handler of int on 'a.*', 'b'");
}

}  // namespace handler_entry_test
