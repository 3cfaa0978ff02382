#include "async/any_send.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include <asio/this_coro.hpp>

#include <exception>

namespace msgbus::async::detail {

asio::awaitable<void> any_send::wait_at(std::shared_ptr<any_send> self, std::size_t index,
                                        asio::any_io_executor here,
                                        std::weak_ptr<exec::task_group> together) {
  component_core& to = *self->any_of_[index];
  // A signal that came before the first line of this coroutine has left no other trace.
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (exec::is_cancel_requested(on, state)) exec::throw_aborted("send");
  exec::send_operation out(self->message_);
  prepare(to, out);
  const exec::put result = co_await to.mailbox.put_when_space_among(out, self->among_, here);
  if (result != exec::put::taken) co_return;
  if (const auto others = together.lock()) others->cancel(asio::cancellation_type::terminal);
}

asio::awaitable<void> any_send::send(std::shared_ptr<any_send> self) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  auto together = std::make_shared<exec::task_group>();
  for (std::size_t i = 0; i < self->any_of_.size(); ++i) {
    // Each can be cancelled, whether the caller can be or not.
    together->start(exec::child_executor(here, here, true), wait_at(self, i, here, together));
  }
  co_await together->join();
  if (self->is_taken()) co_return;
  std::exception_ptr aborted;
  std::exception_ptr failed;
  bool is_closed = false;
  for (std::size_t i = 0; i < together->size(); ++i) {
    const std::exception_ptr failure = together->failure(i);
    if (!failure) {  // nor has this one taken it
      is_closed = true;
    } else if (exec::is_aborted(failure)) {
      aborted = failure;
    } else {
      failed = failure;
    }
  }
  if (aborted) std::rethrow_exception(aborted);
  if (failed && !is_closed) std::rethrow_exception(failed);
}

bool any_send::is_taken() {
  const std::lock_guard lock(among_.mutex);
  return among_.is_taken;
}

receipt any_send::result() {
  if (is_taken()) return {.admitted = 1};
  component_core& to = *any_of_.front();
  const exec::send_operation out(message_);
  return receipt_for(exec::put::full, to, out);
}

}  // namespace msgbus::async::detail
