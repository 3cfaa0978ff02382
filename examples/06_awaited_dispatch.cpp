// A coroutine as one has in a server: it takes a request, announces what has happened, and answers
// when everybody who had to react has done so. It knows none of them.

#include <msgbus/async.hpp>
#include <asio.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace bus = msgbus::async;
using namespace std::chrono_literals;

struct user_registered {
  std::string name;
};

// A handler may be a coroutine: the dispatch waits for it.
asio::awaitable<void> send_welcome(const user_registered& event) {
  asio::steady_timer network(co_await asio::this_coro::executor, 5ms);
  co_await network.async_wait(asio::use_awaitable);
  std::cout << "  welcome sent to " << event.name << '\n';
}

// Or a plain function. When one throws, the others run all the same, and the dispatch throws.
void check_name(const user_registered& event) {
  if (event.name.empty()) throw std::invalid_argument("a user needs a name");
}

asio::awaitable<std::string> register_user(bus::producer& events, std::string name) {
  std::string answer;
  try {
    // The event is made in place. Never `co_await events.dispatch(user_registered{name})`: g++ 12
    // destroys such a temporary twice.
    const std::size_t ran = co_await events.dispatch<user_registered>(std::move(name));
    answer = "200 " + std::to_string(ran) + " handlers have run";
  } catch (const std::exception& error) {
    answer = "400 " + std::string(error.what());
  }
  co_return answer;
}

asio::awaitable<void> serve(bus::producer& events) {
  for (const std::string name : {"Alice", "", "Bob"}) {
    std::cout << "POST /users " << name << '\n';
    const std::string answer = co_await register_user(events, name);
    std::cout << "  " << answer << '\n';
  }
}

int main() {
  asio::io_context io;
  bus::consumer mail(io.get_executor());
  bus::consumer rules(io.get_executor());
  mail.handler(send_welcome);
  rules.handler(check_name);

  bus::producer events;
  events.bind(mail, rules);  // both react at the same time

  asio::co_spawn(io, serve(events), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
}
