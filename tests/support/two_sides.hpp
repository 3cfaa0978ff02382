#pragma once

/// A service, and the one who calls it over a bridge.

#include <msgbus/bridge/remote_service.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace remote_service_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::context;
using msgbus::errc;
using msgbus::remote_error;
using msgbus::remote_service;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus_test::caught;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::neighbourhood;
using msgbus_test::text_of;
using namespace std::chrono_literals;

struct user {
  int id = 0;
  std::string name;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(user, id, name)

// A service on one side, and what calls it on the other.
struct two_sides : neighbourhood {
  bridge here = connect("here");
  bridge there = connect("there");
  service commands{executor()};
  remote_service users{here, "users", {.timeout = 2s}};

  template <class R = void, class... Args>
  R call(std::string_view name, Args... args) {
    return clock.run(steps, users.execute<R>(name, std::move(args)...));
  }
};

}  // namespace remote_service_test
