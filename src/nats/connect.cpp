#include <msgbus/nats/connect.hpp>

namespace msgbus::nats {

namespace {

asio::awaitable<bridge> make_bridge(asio::awaitable<std::shared_ptr<transport::transport>> opening,
                                    bridge_options bridging) {
  std::shared_ptr<transport::transport> over = co_await std::move(opening);
  bridge made(std::move(over), std::move(bridging));
  co_return made;
}

}  // namespace

asio::awaitable<bridge> connect(asio::any_io_executor executor, const options& options,
                                bridge_options bridging) {
  return make_bridge(open(std::move(executor), options), std::move(bridging));
}

asio::awaitable<bridge> connect(asio::any_io_executor executor, const options& options) {
  return connect(std::move(executor), options, bridge_options{});
}

}  // namespace msgbus::nats
