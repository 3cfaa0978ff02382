#include <msgbus/detail/exec/inject.hpp>

#include "support/catch.hpp"

#include <asio/awaitable.hpp>

#include <string>

namespace inject_test {

namespace component = msgbus::component;
using msgbus::context;
using msgbus::depends;
using msgbus::exec::async_injector;

namespace {

int get_base() { return 3; }
asio::awaitable<int> get_twice(depends<get_base> base) { co_return *base * 2; }
asio::awaitable<void> get_session(msgbus::async::yield<int> yield, depends<get_twice> twice) {
  co_await yield(*twice);
}

}  // namespace

TEST_CASE("it is known when compiling whether a handler's dependencies must be awaited", "[I1]") {
  using plain = async_injector<depends<get_base>, const context&>;
  using awaited = async_injector<depends<get_twice>>;
  using cleaned_up = async_injector<depends<get_session>>;
  CHECK_FALSE(plain::has_async);
  CHECK(plain::erased()->keep);
  CHECK(awaited::has_async);
  CHECK_FALSE(awaited::erased()->keep);
  CHECK(cleaned_up::has_async);
  CHECK_FALSE(cleaned_up::has_clean_up);  // with the yield that cannot wait
  CHECK(async_injector<const context&>::needs_nothing);
  CHECK_FALSE(async_injector<const context&>::erased());
}

TEST_CASE(
    "a handler is called with its dependencies in the order of its parameters, and the context",
    "[I1]") {
  const auto handle = [](depends<get_base> base, const context& known, depends<get_twice> twice) {
    return std::string(known.topic()) + ' ' + std::to_string(*base) + ' ' + std::to_string(*twice);
  };
  using injector = async_injector<depends<get_base>, const context&, depends<get_twice>>;
  int base = 1;
  int twice = 2;
  void* const needed[] = {&base, &twice};
  const context known("orders.1");
  CHECK(injector::call_with(handle, needed, known) == "orders.1 1 2");
}

}  // namespace inject_test
