#pragma once

// Two components of one tracer.

#include <msgbus/async/consumer.hpp>
#include <msgbus/name_of.hpp>

#include "support/spans.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace msgbus_test::tracing {

struct order {
  int id = 0;
};
struct parcel {
  int id = 0;
};

inline const std::string send_order = "send " + std::string(msgbus::name_of<order>);
inline const std::string process_order = "process " + std::string(msgbus::name_of<order>);
inline const std::string process_parcel = "process " + std::string(msgbus::name_of<parcel>);

struct traced {
  explicit traced(
      msgbus::sampler decides = msgbus::sampler::parent_based(msgbus::sampler::always()))
      : spans(std::make_shared<kept_spans>(decides)) {
    orders.trace(spans);
    parcels.trace(spans);
  }
  void run(asio::awaitable<void> work) {
    asio::co_spawn(io, std::move(work), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
    io.run();
    io.restart();
  }

  std::shared_ptr<kept_spans> spans;
  asio::io_context io;
  msgbus::async::consumer orders{io}, parcels{io};
};

}  // namespace msgbus_test::tracing
