#include "consumer_config.hpp"

#include "durations.hpp"
#include "pull_credit.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace msgbus::nats {

namespace {

void add_misfit(std::string& to, const char* field, const json& is, const std::string& needed) {
  if (!to.empty()) to += ", ";
  to += std::string(field) + " is " + is.dump(-1, ' ', false, json::error_handler_t::replace) +
        ", and must be " + needed;
}

// A consumer has one filter, or, since nats-server 2.10, several.
json filters_of(const json& there) {
  if (const auto many = there.find("filter_subjects"); many != there.end()) {
    if (!many->empty()) return *many;
  }
  const json one = there.value("filter_subject", json(""));
  return one == json("") ? json::array() : json::array({one});
}

bool is_set(const json& value) {
  return !value.is_null() && value != json("") && value != json(false) && value != json(0) &&
         !((value.is_array() || value.is_object()) && value.empty());
}

}  // namespace

json consumer_config(const transport::pull_options& which) {
  json config = {{"durable_name", which.durable},
                 {"deliver_policy", "all"},
                 {"replay_policy", "instant"},
                 {"ack_policy", "explicit"},
                 {"ack_wait", nanoseconds(which.ack_wait)},
                 // Whoever settles counts: what the server gave up on would stay in limbo.
                 {"max_deliver", -1},
                 // What is asked for is the limit.
                 {"max_ack_pending", -1}};
  if (!which.filter.empty()) config["filter_subject"] = which.filter;
  return config;
}

std::string misfits(const json& there, const transport::pull_options& which) {
  std::string text;
  const json policy = there.value("ack_policy", json(""));
  if (policy != "explicit") add_misfit(text, "ack_policy", policy, "\"explicit\"");
  const json has = filters_of(there);
  const json needs = which.filter.empty() ? json::array() : json::array({which.filter});
  if (has != needs) {
    add_misfit(text, "filter_subject",
               has.empty()       ? json("")
               : has.size() == 1 ? has[0]
                                 : has,
               which.filter.empty() ? "empty" : json(which.filter).dump());
  }
  // Pushed it cannot be pulled; without payloads nothing can be decoded; we are of no group.
  for (const char* const each : {"deliver_subject", "headers_only", "priority_groups"}) {
    const json value = there.value(each, json());
    if (is_set(value)) add_misfit(text, each, value, "absent");
  }
  const auto at_least = [&](const char* field, std::int64_t least) {
    const json value = there.value(field, json());
    if (!is_set(value) || !value.is_number_integer()) return;
    const auto most = value.get<std::int64_t>();
    if (most <= 0 || most >= least) return;
    add_misfit(text, field, value, std::to_string(least) + " at least");
  };
  at_least("max_batch", std::int64_t{pull_credit::largest_request});
  at_least("max_expires", nanoseconds(pull_credit::request_expires));
  return text;
}

bool has_backoff(const json& there) { return is_set(there.value("backoff", json())); }

bool has_ack_wait(const json& there, const transport::pull_options& which) {
  return there.value("ack_wait", json()) == json(nanoseconds(which.ack_wait));
}

bool is_less_patient(const json& there, const transport::pull_options& which) {
  const std::int64_t asked = nanoseconds(which.ack_wait);
  const auto shorter = [&](const json& each) {
    return !each.is_number_integer() || each.get<std::int64_t>() < asked;
  };
  if (!has_backoff(there)) return shorter(there.value("ack_wait", json()));
  const json& waits = there["backoff"];
  return std::any_of(waits.begin(), waits.end(), shorter);
}

std::string impatience(const json& there, const transport::pull_options& which) {
  std::string text;
  const char* const field = has_backoff(there) ? "backoff" : "ack_wait";
  add_misfit(text, field, there.value(field, json()),
             std::to_string(nanoseconds(which.ack_wait)) + " ns at least");
  return text;
}

json with_ack_wait(json there, const transport::pull_options& which) {
  there["ack_wait"] = nanoseconds(which.ack_wait);
  return there;
}

}  // namespace msgbus::nats
