#include <msgbus/detail/sync/service_core.hpp>

#include <msgbus/error.hpp>

#include "component/explain.hpp"
#include "observe/message_span.hpp"
#include "sync/trace_verb.hpp"

namespace msgbus::sync::detail {

service_core::service_core(std::shared_ptr<provider> overrides) : shared(std::move(overrides)) {}

service_core::~service_core() = default;

std::shared_ptr<service_core> service_core::make(std::shared_ptr<provider> overrides) {
  return std::make_shared<service_core>(std::move(overrides));
}

namespace {

msgbus::detail::message_span execute_span(std::string_view name) noexcept {
  return {.kind = span_kind::client, .operation = "execute", .destination = name};
}

}  // namespace

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
  const error missing(errc::no_handler, component::no_operation("the service", name, names()));
  if (const attachments* const by = shared.attached_observer.attachments_now()) {
    if (by->tracing) {
      std::optional<thread_span> called;
      trace_start::of(*by, "execute").begin(called, *by->tracing, [&] {
        return execute_span(name);
      });
      if (*called) called->fail(std::make_exception_ptr(missing));
    }
    if (by->observer) by->observer->unrouted({name, {}});
  }
  throw missing;
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

operation_entry::operation_report::operation_report(const attachments& by,
                                                    const operation_entry& operation) noexcept
    : observer_(by.observer), step_{operation.name, {}} {
  if (observer_) observer_->accepted(step_);
  if (!by.tracing) return;
  const trace_start start = trace_start::of(by, "execute");
  if (start.is_unsampled) {
    unsampled_.emplace(&msgbus::detail::not_sampled_mark);
    return;
  }
  start.begin(called_, *by.tracing, [&] { return execute_span(operation.name); });
  if (msgbus::detail::is_marked_not_sampled()) return;
  const msgbus::detail::message_span handled{
      .kind = span_kind::server, .operation = "process", .destination = operation.name};
  handled_.emplace(*by.tracing, handled, operation, false);
}

operation_entry::operation_report::~operation_report() {
  handled_.reset();
  called_.reset();
  if (observer_ && !failed_) observer_->delivered(step_);
}

void operation_entry::operation_report::failed() noexcept {
  failed_ = true;
  const std::exception_ptr why = std::current_exception();
  if (handled_) handled_->fail(why);
  if (called_) called_->fail(why);
  if (observer_) observer_->failed(step_, why);
}

}  // namespace msgbus::sync::detail
