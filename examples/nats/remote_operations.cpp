#include "remote_operations.hpp"

#include <msgbus/async/service.hpp>
#include <msgbus/bridge/remote_service.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wire.hpp"

namespace exchange {
namespace {

// Refusals come out as they were thrown there. One coroutine for each type of result, whatever the
// arguments are.
template <class R>
asio::awaitable<R> result_of(asio::awaitable<R> asking) {
  try {
    R result = co_await std::move(asking);
    co_return result;
  } catch (const msgbus::remote_error& failure) {
    if (failure.kind() == "exchange::refusal") throw refusal::read(failure.text());
    throw;
  }
}

template <class R, class... Args>
void forward(msgbus::async::service& here, const std::string& name,
             const msgbus::remote_service& there) {
  here.handler(name, [there, name](Args... args) {
    return result_of(there.execute<R>(name, std::move(args)...));
  });
}

}  // namespace

void add_remote_operations(msgbus::async::service& commands, msgbus::async::service& queries,
                           const msgbus::bridge& nats, std::chrono::milliseconds patience) {
  const msgbus::call_options how{.timeout = patience};
  const msgbus::remote_service command(nats, wire::commands, how);
  forward<account, std::string>(commands, "open_account", command);
  forward<account, number, money>(commands, "deposit", command);
  forward<account, number, money>(commands, "withdraw", command);
  forward<order, number, std::string, std::int64_t, money>(commands, "place_order", command);
  forward<order, number>(commands, "cancel_order", command);
  forward<totals>(commands, "books", command);

  const msgbus::remote_service query(nats, wire::queries, how);
  forward<account, number>(queries, "get_account", query);
  forward<std::vector<order>, number>(queries, "list_orders", query);
  forward<std::vector<symbol_summary>>(queries, "list_symbols", query);
  forward<totals>(queries, "summary", query);
}

}  // namespace exchange
