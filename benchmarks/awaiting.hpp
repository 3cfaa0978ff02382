#pragma once

/// Subjects of coroutines: many messages are awaited one after the other inside one coroutine.

#include "across.hpp"
#include "peer_asio.hpp"

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace bench {

template <class State, class Once>
asio::awaitable<void> await_all(State& to, Once once, std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) {
    (void)co_await once(to, i);
    clobber();
  }
}

/// A `State` has the io_context that all of it runs on. `once(state, i)` returns an awaitable, of a
/// message that is handled when that is done.
template <class State, class Once>
subject awaiting(std::shared_ptr<State> state, Once once) {
  auto handled = std::make_shared<std::uint64_t>(0);
  return {[state, once, handled](std::uint64_t messages) {
            const std::uint64_t before = counter;
            State* const to = opaque(state.get());
            run_here(to->context, await_all(*to, once, messages));
            *handled += counter - before;
          },
          [handled] { return *handled; }};
}

/// Awaits `async_send(event)` of a way to another thread, on this one. Timed until the last message
/// was handled.
template <class Way, class... Given>
contender awaiting_across(std::string name, role what, Given... given) {
  struct state : across<Way> {
    using across<Way>::across;
    asio::io_context context{1};
  };
  auto make = [given...] {
    auto made = std::make_shared<state>(1U, given...);
    return subject{[made](std::uint64_t messages) {
                     made->count.expect(messages);
                     const auto once = [](Way& way, std::uint64_t i) {
                       return way.async_send(order_created{i, 9.99});
                     };
                     run_here(made->context, await_all(*opaque(&made->way), once, messages));
                     made->count.wait();
                   },
                   [made] { return made->count.count(); }};
  };
  return {std::move(name), what, make};
}

/// What a handler that is a coroutine is at least: a function that one awaits.
inline asio::awaitable<std::size_t> handled_by_function(order_created) {
  ++counter;
  co_return 1;
}

}  // namespace bench
