// Where calls of remote services go.

#include <msgbus/bridge/explain.hpp>
#include <msgbus/detail/exec/clock.hpp>

#include "component/explain.hpp"
#include "policy/breaker_access.hpp"
#include "policy/policy_text.hpp"

#include <string>
#include <utility>
#include <vector>

namespace msgbus {

namespace {

std::string label_of(const transport::transport& wire) {
  std::string label = "the bridge";
  const std::vector<std::string> servers = wire.servers();
  for (const std::string& each : servers) label += (&each == &servers[0] ? ", at " : ", ") + each;
  return label;
}

/// As that of a handler's policy, from the inside out.
std::string summary_of(const call_options& options) {
  const call_policy& policy = options.policy;
  detail::policy_text text;
  text.add("timeout " + detail::duration_text(options.timeout));
  text.add_breaker(policy.breaker.get());
  text.add_attempts(policy.retry.attempts);
  if (policy.deadline != policy.deadline.zero()) {
    text.add("deadline " + detail::duration_text(policy.deadline));
  }
  return text.take();
}

/// The error of a call at this time; empty: the breaker lets one through.
std::string refusal_by(const circuit_breaker& breaker, const asio::any_io_executor& executor) {
  using detail::breaker_access;
  const auto now = executor ? exec::now(executor) : std::chrono::steady_clock::now();
  const breaker_access::answer seen = breaker_access::look_at(breaker);
  if (breaker_access::has_news(breaker, seen.generation, now)) return {};
  return describe(breaker_access::refusal(breaker, seen, now));
}

}  // namespace

explanation explanation_of(const remote_service& component, std::string_view name) {
  const bridging::hub& over = *component.hub_;
  const call_options& options = component.options_;
  const std::string topic = component.prefix_ + '.' + std::string(name);
  explanation made;
  made.question = "operation '" + std::string(name) + "', called by the remote service '" +
                  component.prefix_ + "'";
  if (!component::check_topic(made, topic)) return made;
  explanation::entry call;
  call.component = label_of(*over.wire);
  call.handler.label = "a process that serves '" + topic + "'";
  call.handler.operation = name;
  call.handler.policy = summary_of(options);
  call.executor = "an executor of that process";
  if (over.is_closed()) {
    call.reasons.emplace_back(bridging::sends_no_request);
    made.others.push_back(std::move(call));
    return made;
  }
  if (options.policy.breaker) {
    const std::string refusal = refusal_by(*options.policy.breaker, over.executor());
    if (!refusal.empty()) call.reasons.push_back("it fails with circuit_open: " + refusal);
  }
  call.reasons.push_back("it fails with no_handler if there is none: " +
                         bridging::no_process_serves(topic));
  made.run.push_back(std::move(call));
  return made;
}

std::string explain(const remote_service& component, std::string_view name) {
  return explanation_of(component, name).text();
}

}  // namespace msgbus
