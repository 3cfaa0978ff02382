#include <msgbus/detail/sync/service_core.hpp>

#include <msgbus/error.hpp>

#include "component/explain.hpp"

namespace msgbus::sync::detail {

service_core::service_core(std::shared_ptr<provider> overrides) : shared(std::move(overrides)) {}

service_core::~service_core() = default;

std::shared_ptr<service_core> service_core::make(std::shared_ptr<provider> overrides) {
  return std::make_shared<service_core>(std::move(overrides));
}

void throw_detached(const operation_entry* entry) {
  if (!entry)
    throw error(errc::no_handler, "the operation is empty; assign it from service.handler(...)");
  throw error(errc::no_handler, entry->describe() +
                                    " has no handler: it was cancelled, or its service was "
                                    "destroyed");
}

void service_core::execute(std::string_view name, std::span<const component::argument> arguments,
                           const component::result_ref& result) {
  const routing::guard guard(guarded());
  routing::named_entry* const found = find(name);
  if (!found || !found->active()) [[unlikely]]
    throw_no_handler(name);
  static_cast<operation_entry*>(found)->execute(arguments, result);
}

void service_core::throw_no_handler(std::string_view name) {
  shared.unrouted.add();
  if (observer* const observer = shared.attached_observer.get()) observer->unrouted({name, {}});
  throw error(errc::no_handler, component::no_operation("the service", name, names()));
}

void operation_entry::throw_bad_count(std::size_t wanted, std::string_view types,
                                      std::span<const component::argument> given) const {
  std::string got;
  for (const component::argument& each : given) {
    got += (got.empty() ? "" : ", ") + std::string(each.value.type->name);
  }
  throw error(errc::bad_arguments, describe() + " takes " + std::to_string(wanted) +
                                       (wanted == 1 ? " argument (" : " arguments (") +
                                       std::string(types) + "), not " +
                                       std::to_string(given.size()) + " (" + got + ")");
}

component::injection operation_entry::injection(const context& ctx) const noexcept {
  return {core.shared.overrides_state(), ctx, {this, &component::describe_entry}};
}

operation_entry::operation_report::operation_report(observer& observer,
                                                    std::string_view operation) noexcept
    : observer_(observer), step_{operation, {}} {
  observer_.accepted(step_);
}

operation_entry::operation_report::~operation_report() {
  if (!failed_) observer_.delivered(step_);
}

void operation_entry::operation_report::failed() const noexcept {
  failed_ = true;
  observer_.failed(step_, std::current_exception());
}

}  // namespace msgbus::sync::detail
