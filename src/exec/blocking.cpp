#include <msgbus/async/blocking.hpp>

namespace msgbus::async::detail {

void run_to_end(asio::awaitable<void> work) {
  asio::io_context own(1);
  std::exception_ptr failed;
  asio::co_spawn(own, std::move(work),
                 [&](std::exception_ptr failure) { failed = std::move(failure); });
  own.run();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace msgbus::async::detail
