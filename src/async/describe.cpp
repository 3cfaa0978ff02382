// The graph of async components.

#include <msgbus/async/describe.hpp>

#include <msgbus/detail/async/consumer_core.hpp>
#include <msgbus/detail/async/fan_out_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/async/service_core.hpp>
#include <msgbus/detail/async/subscriber_core.hpp>
#include <msgbus/graph_source.hpp>

#include "component/explain.hpp"
#include "observe/graph_builder.hpp"

#include <asio/io_context.hpp>
#include <asio/query.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>

#include <sstream>
#include <typeinfo>
#include <utility>

namespace msgbus::async::detail {

namespace {

/// As an `Executor`; null if it is none. Old versions of Asio do not check that themselves.
template <class Executor>
const Executor* as(const asio::any_io_executor& executor) noexcept {
  return executor.target_type() == typeid(Executor) ? executor.target<Executor>() : nullptr;
}

const void* context_of(const asio::any_io_executor& executor) noexcept {
  return &asio::query(executor, asio::execution::context);
}

}  // namespace

std::string executor_text(const asio::any_io_executor& executor,
                          msgbus::detail::graph_builder& in) {
  if (!executor) return {};
  using io = asio::io_context::executor_type;
  using pool = asio::thread_pool::executor_type;
  const void* const context = context_of(executor);
  if (as<io>(executor)) return in.numbered("io_context", context);
  if (as<pool>(executor)) return in.numbered("thread_pool", context);
  if (as<asio::system_executor>(executor)) return "system_executor";
  if (as<asio::strand<io>>(executor)) return "strand of " + in.numbered("io_context", context);
  if (as<asio::strand<pool>>(executor)) {
    return "strand of " + in.numbered("thread_pool", context);
  }
  if (const auto* const strand = as<asio::strand<asio::any_io_executor>>(executor)) {
    return "strand of " + executor_text(strand->get_inner_executor(), in);
  }
  return in.numbered("context", context);
}

namespace {

using component::described_handler;
using msgbus::detail::graph_builder;

std::string name_of_overflow(overflow value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

const void* identity_of(const component_core& core) noexcept { return &core; }
const void* identity_of(const routing::single_route& fan_out) noexcept { return &fan_out; }

void add_policy(described_handler& to, const stored_policy* policy, graph_builder& in) {
  if (!policy) return;
  to.facts.policy = policy->summary;
  if (policy->has_executor()) {
    policy->look_at_executor(
        [&](const asio::any_io_executor& its) { to.facts.executor = executor_text(its, in); });
    if (to.facts.executor.empty()) {
      to.obstacles.emplace_back(
          "it fails with closed: the context of its policy's executor has been destroyed");
    }
  }
  if (!policy->breaker) return;
  const circuit_breaker::state now = policy->breaker->current();
  if (now == circuit_breaker::state::closed) return;
  to.obstacles.push_back("the circuit breaker \"" + policy->breaker->name() + "\" is " +
                         std::string(state_name(now)) +
                         ": sent messages wait, and awaited verbs fail with circuit_open");
}

template <class Entry>
std::vector<described_handler> handlers_of(const component_core& core, graph_builder& in) {
  std::vector<described_handler> all;
  core.routes().for_each_attached([&](const routing::entry& each) {
    const auto& handler = static_cast<const Entry&>(each);
    described_handler made = component::described(handler, core.shared.overrides_state());
    add_policy(made, handler.policy.get(), in);
    all.push_back(std::move(made));
  });
  return all;
}

}  // namespace

std::vector<described_handler> consumer_core::described_handlers(graph_builder& in) const {
  return handlers_of<event_entry>(*this, in);
}

std::vector<described_handler> subscriber_core::described_handlers(graph_builder& in) const {
  return handlers_of<message_entry>(*this, in);
}

std::vector<described_handler> service_core::described_handlers(graph_builder& in) const {
  std::vector<described_handler> all;
  for_each_attached([&](const routing::entry& each) {
    const auto& operation = static_cast<const operation_entry&>(each);
    described_handler made = component::described(operation, operation.facts(),
                                                  component_core::shared.overrides_state());
    add_policy(made, operation.policy_of(), in);
    all.push_back(std::move(made));
  });
  return all;
}

void component_core::describe_to(graph_builder& to, std::string_view name) const {
  graph::component& made = to.component(identity_of(*this), called().kind(), "async");
  const std::string_view own = called().name();
  if (made.name.empty()) made.name = own.empty() ? name : own;
  if (!to.describe(identity_of(*this))) return;
  made.closed = closed();
  const bool can_run = mailbox.look_at_executor(
      [&](const asio::any_io_executor& its) { made.executor = executor_text(its, to); });
  if (!can_run) made.executor = "none";
  made.capacity = mailbox.capacity();
  made.concurrency = mailbox.concurrency();
  made.on_full = name_of_overflow(mailbox.on_full());
  for (described_handler& each : described_handlers(to)) {
    made.handlers.push_back(std::move(each.facts));
  }
  const char* const kind = called().kind() == "consumer" ? "producer" : "publisher";
  senders.for_each([&](const void* sender, const component::bound_in& in) {
    const void* const from = in.fan_out ? in.fan_out : sender;
    to.component(from, kind, "async");
    to.bind(from, identity_of(*this), in.fan_out ? sender : nullptr, in.pick,
            msgbus::detail::place_of(in.line));
  });
}

void fan_out_core::describe_to(graph_builder& to, std::string_view name) const {
  graph::component& made = to.component(identity_of(*this), kind_, "async");
  if (made.name.empty()) made.name = name;
  if (!to.describe(identity_of(*this))) return;
  struct target {
    std::shared_ptr<component_core> core;
    const void* group;
    const char* pick;
  };
  std::vector<target> all;
  for_each_bound([&](component_core& each) { all.push_back({each.self(), nullptr, ""}); },
                 [&](const one_of_group& group) {
                   targets members;
                   group.add_all(members);
                   for (auto& each : members) {
                     all.push_back({std::move(each), identity_of(group), group.chosen_by()});
                   }
                 });
  for (const target& each : all) {
    each.core->describe_to(to, {});
    to.bind(identity_of(*this), identity_of(*each.core), each.group, each.pick);
  }
}

}  // namespace msgbus::async::detail

namespace msgbus {

std::string describe(const async::host& all, graph_format form) {
  return describe(graph_of(all), form);
}

}  // namespace msgbus
