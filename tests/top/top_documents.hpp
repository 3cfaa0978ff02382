#pragma once

/// Documents of a monitor, made up, for the tests of msgbus-top.

#include <nlohmann/json.hpp>

#include <string>

namespace msgbus_test {

/// A component without trouble.
inline nlohmann::json top_component(const std::string& name) {
  return nlohmann::json::parse(R"({"name":")" + name + R"(","kind":"consumer",
    "executor":"io_context 1","state":"open","waiting":0,"capacity":100,"oldest":0,"in_flight":0,
    "limit":1,"rates":{"offered":0,"rejected":0,"handled":0,"failed":0,"dropped":0,"abandoned":0,
    "unrouted":0,"retries":0},"wait":null,"handle":null,"breakers":[],"dead_letters":0,
    "blocked_senders":0,"last_error":null})");
}

template <class... Components>
nlohmann::json top_document(const Components&... components) {
  auto made = nlohmann::json::parse(R"({"version":1,"msgbus":"0.1.0","title":"shop","time":1000,
    "since":900,"state":"serving","stalled":[],"warnings":[]})");
  made["components"] = nlohmann::json::array({components...});
  return made;
}

}  // namespace msgbus_test
