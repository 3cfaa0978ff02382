#include <msgbus/transport/nats.hpp>

#include "session.hpp"
#include "transport.hpp"

#include <thread>
#include <utility>

namespace msgbus::nats {

namespace {

/// Shared by the coroutine and the thread that connects.
struct attempt {
  std::shared_ptr<session> made;
  std::exception_ptr failed;
};

void connect(attempt& with) noexcept {
  try {
    with.made->connect();
  } catch (...) {
    with.failed = std::current_exception();
  }
}

asio::awaitable<std::shared_ptr<transport::transport>> open(std::shared_ptr<attempt> with) {
  auto done = std::make_shared<handover>();
  // Connecting blocks and cannot be interrupted: so nobody waits for this thread, and whoever gives
  // up leaves at once. It keeps all that it needs.
  std::thread([with, done] {
    connect(*with);
    done->give({});
  }).detach();
  co_await handover::wait(done);
  // The thread, which may still be ending, keeps no share of it.
  if (with->failed) std::rethrow_exception(std::exchange(with->failed, nullptr));
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
