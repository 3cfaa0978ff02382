#pragma once

// A read on the thread that reads, which a coroutine waits for.

#include <msgbus/detail/exec/cancellation.hpp>

#include "durable/database_core.hpp"

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace msgbus::durable::detail {

template <class Result>
struct read_request {
  std::function<Result(connection&)> work;
  Result result;
  completion ended;
};

/// Completes: with the result of `work`, which runs on the reading thread.
/// Throws: the exceptions of `work`; the reason why there is no connection.
/// Cancellation: throws Asio's `operation_aborted`, which names the verb.
template <class Result>
asio::awaitable<Result> read(std::shared_ptr<database_core> in, const char* verb,
                             std::function<Result(connection&)> work) {
  auto asked = std::make_shared<read_request<Result>>();
  asked->work = std::move(work);
  in->read([asked](connection* from, const std::exception_ptr& why_not) {
    std::exception_ptr failure = why_not;
    if (from != nullptr) {
      try {
        asked->result = asked->work(*from);
      } catch (...) {
        failure = std::current_exception();
      }
    }
    asked->ended.end(failure);
  });
  co_await asked->ended.done.wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, verb);
  if (asked->ended.failure) std::rethrow_exception(asked->ended.failure);
  co_return std::move(asked->result);
}

}  // namespace msgbus::durable::detail
