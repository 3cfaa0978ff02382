#include <msgbus/transport/nats.hpp>

#include "blocking_thread.hpp"
#include "session.hpp"
#include "transport.hpp"

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/this_coro.hpp>

#include <exception>
#include <thread>
#include <utility>

namespace msgbus::nats {

namespace {

/// Shared by the coroutine and the thread that connects, which sets it.
struct attempt final : exec::one_shot_event {
  std::shared_ptr<session> made;
  std::exception_ptr failed;
};

/// The thread that connects. Connecting blocks and cannot be interrupted: a coroutine that is
/// cancelled leaves the thread behind. One that is not waits for the thread's end, which is near,
/// so that nothing of an attempt is left when `open` has completed.
class connecting_thread {
 public:
  explicit connecting_thread(std::thread made) : thread_(std::move(made)) {}
  connecting_thread(const connecting_thread&) = delete;
  connecting_thread& operator=(const connecting_thread&) = delete;
  ~connecting_thread() {
    if (thread_.joinable()) thread_.detach();
  }
  void join() { join_unless_self(thread_); }

 private:
  std::thread thread_;
};

void connect(attempt& with) noexcept {
  try {
    with.made->connect();
  } catch (...) {
    with.failed = std::current_exception();
  }
}

asio::awaitable<std::shared_ptr<transport::transport>> open(std::shared_ptr<attempt> with) {
  connecting_thread thread(std::thread([with] {
    connect(*with);
    with->set();
  }));
  co_await with->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "NATS");
  thread.join();
  if (with->failed) std::rethrow_exception(with->failed);
  std::shared_ptr<transport::transport> result = std::make_shared<nats_transport>(with->made);
  co_return result;
}

}  // namespace

asio::awaitable<std::shared_ptr<transport::transport>> open(asio::any_io_executor executor,
                                                            const options& how) {
  auto with = std::make_shared<attempt>();
  with->made = std::make_shared<session>(std::move(executor), how);
  return open(std::move(with));
}

}  // namespace msgbus::nats
