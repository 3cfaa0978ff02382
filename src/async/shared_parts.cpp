// What a monitor asks of a component: the objects that its handlers' policies share, its executors.

#include <msgbus/detail/async/consumer_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/async/service_core.hpp>
#include <msgbus/detail/async/subscriber_core.hpp>
#include <msgbus/detail/policy/stored_policy.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace msgbus::async::detail {

void consumer_core::for_each_policy(policy_visitor visit) const {
  routes().for_each_attached([&](const routing::entry& each) {
    if (const auto& policy = static_cast<const event_entry&>(each).policy) visit(*policy);
  });
}

void subscriber_core::for_each_policy(policy_visitor visit) const {
  routes().for_each_attached([&](const routing::entry& each) {
    if (const auto& policy = static_cast<const message_entry&>(each).policy) visit(*policy);
  });
}

void service_core::for_each_policy(policy_visitor visit) const {
  for_each_attached([&](const routing::entry& each) {
    const stored_policy* const policy = static_cast<const operation_entry&>(each).policy_of();
    if (policy) visit(*policy);
  });
}

namespace {

template <class T>
void add_once(std::vector<std::shared_ptr<T>>& to, const std::shared_ptr<T>& added) {
  if (added && std::ranges::find(to, added) == to.end()) to.push_back(added);
}

}  // namespace

shared_parts core_member::parts() const {
  shared_parts all;
  const std::shared_ptr<component_core> now = core_.lock();
  if (!now) return all;
  now->for_each_policy([&](const stored_policy& each) {
    add_once<const circuit_breaker>(all.breakers, each.breaker);
    add_once<dead_letters>(all.letters, each.dead_letters);
  });
  return all;
}

void core_member::visit_executors(const executor_visitor& look) const {
  const std::shared_ptr<component_core> now = core_.lock();
  if (!now) return;
  (void)now->mailbox.look_at_executor(look);
  now->for_each_policy([&](const stored_policy& each) {
    if (each.has_executor()) each.look_at_executor(look);
  });
}

void core_member::record(const std::shared_ptr<msgbus::detail::failure_recorder>& to) {
  if (const std::shared_ptr<component_core> now = core_.lock()) {
    now->shared.attached_observer.add_recorder(now->routes().guarded(), to);
  }
}

void core_member::record_no_more(const msgbus::detail::failure_recorder& to) {
  if (const std::shared_ptr<component_core> now = core_.lock()) {
    now->shared.attached_observer.remove_recorder(now->routes().guarded(), to);
  }
}

}  // namespace msgbus::async::detail
