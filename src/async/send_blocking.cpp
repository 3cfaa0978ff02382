#include <msgbus/detail/async/verbs.hpp>

#include <msgbus/detail/core/durations.hpp>

#include "async/any_send.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <memory>
#include <vector>

namespace msgbus::async::detail {

namespace {

/// A message for one mailbox that was full.
struct blocked {
  component_core& to;
  exec::send_operation& out;
  exec::put result = exec::put::full;
  std::exception_ptr failure = nullptr;
};

/// Coroutines wait, on a context of this thread's own. A coroutine that still waits when that
/// context ends has taken nothing.
void wait_for_space(std::vector<blocked>& all, std::chrono::steady_clock::time_point deadline) {
  for (const blocked& each : all) each.to.mailbox.check_may_block();
  asio::io_context waiting(1);
  const asio::any_io_executor here = waiting.get_executor();
  for (blocked& each : all) {
    auto done = [&each](std::exception_ptr failure, exec::put result) {
      each.failure = std::move(failure);
      each.result = result;
    };
    asio::co_spawn(here, each.to.mailbox.put_when_space(each.out, here), done);
  }
  waiting.run_until(deadline);
  for (const blocked& each : all) {
    if (each.failure) std::rethrow_exception(each.failure);
  }
}

}  // namespace

receipt send_blocking_to(component_core& to, exec::send_operation& out,
                         std::chrono::steady_clock::duration timeout) {
  const std::shared_ptr<component_core> kept =
      to.self();  // its component may be destroyed meanwhile
  const auto deadline = saturating_add(std::chrono::steady_clock::now(), timeout);
  exec::put result = offer(to, out);
  if (result == exec::put::full && waits_when_full(to)) {
    std::vector<blocked> alone{{to, out}};
    wait_for_space(alone, deadline);
    result = alone.front().result;
  }
  if (result == exec::put::closed) to.throw_closed({out.message().type->name, out.topic()});
  return receipt_for(result, to, out);
}

namespace {

/// Those of the mailboxes at which this thread may block. Throws `would_deadlock` if there is none.
targets without_own(const targets& any_of) {
  targets others;
  std::exception_ptr failure;
  for (const auto& each : any_of) {
    try {
      each->mailbox.check_may_block();
      others.push_back(each);
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (others.empty()) std::rethrow_exception(failure);
  return others;
}

}  // namespace

receipt send_blocking_to_full(const full_mailboxes& full, const exec::shared_message& message,
                              std::chrono::steady_clock::time_point deadline) {
  std::vector<std::shared_ptr<any_send>> all;
  for (const targets& each : full) {
    all.push_back(std::make_shared<any_send>(without_own(each), message));
  }
  std::exception_ptr failure;
  {
    asio::io_context waiting(1);
    for (const auto& each : all) {
      asio::co_spawn(waiting, any_send::send(each), [&](std::exception_ptr failed) {
        if (failed) failure = std::move(failed);
      });
    }
    waiting.run_until(deadline);
  }
  if (failure) std::rethrow_exception(failure);
  receipt total;
  for (const auto& each : all) total += each->result();
  return total;
}

}  // namespace msgbus::async::detail
