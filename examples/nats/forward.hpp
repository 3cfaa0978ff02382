#pragma once

/// A service here whose operations are carried out by another process. Those who call it need not
/// know; refusals come out as they were thrown there.

#include <msgbus/async.hpp>
#include <msgbus/bridge.hpp>

#include <string>
#include <utility>

#include "domain.hpp"

namespace exchange {

template <class R, class... Args>
asio::awaitable<R> call(msgbus::remote_service there, std::string name, Args... args) {
  try {
    auto asking = there.execute<R>(name, std::move(args)...);
    R result = co_await std::move(asking);
    co_return result;
  } catch (const msgbus::remote_error& failure) {
    if (failure.kind() == "exchange::refusal") throw refusal::read(failure.text());
    throw;
  }
}

template <class R, class... Args>
void forward(msgbus::async::service& here, const std::string& name, msgbus::remote_service there) {
  here.handler(name, [there = std::move(there), name](Args... args) {
    return call<R, Args...>(there, name, std::move(args)...);
  });
}

}  // namespace exchange
