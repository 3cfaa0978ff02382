#include "support/catch.hpp"

#include "plugin.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <dlfcn.h>

#include <memory>
#include <string>
#include <vector>

namespace host_test {

namespace {

/// A library that is open.
class library {
 public:
  explicit library(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    INFO((handle_ ? "" : dlerror()));
    REQUIRE(handle_);
  }
  ~library() { dlclose(handle_); }
  library(const library&) = delete;
  library& operator=(const library&) = delete;

  template <class F>
  F function(const char* name) const {
    return reinterpret_cast<F>(dlsym(handle_, name));
  }

 private:
  void* const handle_;
};

struct components {
  asio::io_context io;
  msgbus::sync::consumer consumer;
  msgbus::sync::subscriber subscriber;
  msgbus::async::consumer events{io.get_executor()};
  std::string log;

  std::string handled() {
    log.clear();
    return std::to_string(consumer.consume(hidden{7})) + ": " + log;
  }
};

void cancel_all(attached& made) {
  for (msgbus::subscription& each : made) each.cancel();
  made.clear();
}

}  // namespace

// Program and plugin are built with hidden visibility.
TEST_CASE("a type is one type on both sides of a shared library", "[T1]") {
  msgbus::sync::consumer consumer;
  msgbus::sync::subscriber subscriber;
  int handled = 0;
  attach_plugin(consumer, subscriber, handled);
  CHECK(consumer.consume(loaded{1}) == 1);
  CHECK(subscriber.receive(std::vector<int>{10}, "a") == 1);
  CHECK(handled == 11);
}

TEST_CASE("a hidden type is one type in all libraries of a program", "[T1]") {
  const library a(MSGBUS_TEST_OPENED_A), b(MSGBUS_TEST_OPENED_B);
  components all;
  msgbus::sync::service service;
  const plugin_parts parts{all.consumer, all.subscriber, service, all.events, all.log};
  attached made;
  a.function<attach_parts>("attach")(parts, made);
  b.function<attach_parts>("attach")(parts, made);
  const msgbus::subscription here =
      all.consumer.handler([&](const hidden& h) { all.log += std::to_string(h.number); });

  SECTION("dispatched by the program, in the order of attaching") {
    CHECK(all.handled() == "5: 7a one7a 7b one7b 7");
    CHECK(all.subscriber.receive(hidden{1}, "t") == 2);
    CHECK(all.consumer.consume(std::variant<int, hidden>(hidden{1})) == 5);
  }
  SECTION("dispatched by a library, whose unnamed types are its own") {
    CHECK(a.function<consume_hidden>("consume")(all.consumer, 8) == 105);
    CHECK(all.log == "8a one8a 8b one8b 8owna ");
  }
  SECTION("as argument and result of operations") {
    CHECK(service.execute<hidden>("a", hidden{1}).number == 2);
    CHECK(service.execute<hidden>("b", hidden{2}).number == 3);
  }
  SECTION("whereas a hidden dependency is not, and the error says so") {
    all.consumer.override(get_limit, [] { return 5; });
    std::string text;
    try {
      all.consumer.consume(1L);
    } catch (const msgbus::dispatch_error& e) {
      text = msgbus::describe(e.errors().at(0));
    }
    CHECK(text.find("no override provides it: an override exists for another dependency") !=
          std::string::npos);
  }
  SECTION("in the async family") {
    CHECK(all.events.post(hidden{1}).admitted == 1);
    all.io.run();
    CHECK(all.log == "asynca asyncb ");
  }
  cancel_all(made);
}

TEST_CASE("a library may be closed and opened again once its handlers are cancelled", "[T1][D6]") {
  components all;
  for (int i = 0; i < 3; ++i) {
    msgbus::sync::service service;  // its handlers go before the library
    const auto b = std::make_unique<library>(MSGBUS_TEST_OPENED_B);
    {
      const library a(MSGBUS_TEST_OPENED_A);
      {
        msgbus::sync::service of_a;
        const plugin_parts parts{all.consumer, all.subscriber, of_a, all.events, all.log};
        attached made;
        a.function<attach_parts>("attach")(parts, made);
        CHECK(all.handled() == "2: 7a one7a ");
        cancel_all(made);
      }
    }
    CHECK(all.handled() == "0: ");
    {
      msgbus::sync::service of_b;
      const plugin_parts parts{all.consumer, all.subscriber, of_b, all.events, all.log};
      attached made;
      b->function<attach_parts>("attach")(parts, made);
      CHECK(all.handled() == "2: 7b one7b ");
      cancel_all(made);
    }
  }
}

}  // namespace host_test
