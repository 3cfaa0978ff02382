#pragma once

/// What the tests of failures of durable links share.

#include <msgbus/bridge/bridge.hpp>

#include "bridge/dead_letter.hpp"
#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/refusing.hpp"
#include "support/shop.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace durable_failures_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::durable_options;
using msgbus::errc;
using msgbus::async::subscriber;
using msgbus_test::adds_up;
using msgbus_test::billing;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::shop;
using namespace std::chrono_literals;

// Its failures are printed nowhere.
struct quiet_subscriber : subscriber {
  explicit quiet_subscriber(shop& all, msgbus::mailbox_options mail = {})
      : subscriber(all.executor(), mail) {
    observe(std::make_shared<msgbus::observer>());
  }
};

// The stream of the dead letters, as it is.
struct dead_letter_stream {
  explicit dead_letter_stream(shop& all, std::string stream = "DEAD")
      : wire(all.broker.connect(all.executor())), to(std::make_shared<sink>()) {
    msgbus::transport::pull_options which;
    which.stream = std::move(stream);
    which.durable = "reader";
    source = all.clock.run(all.steps, wire->pull(which, to));
    source->ask(1000);
  }
  struct sink final : msgbus::transport::delivery_sink {
    void take(std::unique_ptr<msgbus::transport::delivery> received) noexcept override {
      received->ack();
      letters.push_back(std::move(received->message));
    }
    void ended(std::exception_ptr) noexcept override {}
    std::vector<msgbus::envelope> letters;
  };
  [[nodiscard]] const std::vector<msgbus::envelope>& letters() const { return to->letters; }
  [[nodiscard]] std::string header(std::size_t index, std::string_view name) const {
    const auto& all = letters().at(index).headers;
    const auto found = all.find(name);
    return found == all.end() ? std::string("none") : std::string(found->second);
  }

  std::shared_ptr<msgbus::transport::transport> wire;
  std::shared_ptr<sink> to;
  std::unique_ptr<msgbus::transport::source> source;
};

inline constexpr auto reason = msgbus::header::dead_reason;

}  // namespace durable_failures_test
