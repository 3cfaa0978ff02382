#include "async/traced_runs.hpp"

#include <msgbus/detail/async/service_core.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "async/verb_run.hpp"
#include "core/text.hpp"
#include "core/trace_state.hpp"
#include "observe/message_span.hpp"
#include "observe/trace_table.hpp"

#include <asio/this_coro.hpp>

#include <exception>
#include <string>
#include <utility>

namespace msgbus::async::detail {

namespace {

using msgbus::detail::message_span;
namespace trace_names = msgbus::detail::trace_names;

/// A message came from elsewhere, and without a trace: its handlers may begin one.
bool came_untraced(const msgbus::context& ctx) noexcept { return !ctx.message_id().empty(); }

std::string_view destination_of(const component_run& d) noexcept {
  if (!d.operation.empty()) return d.operation;
  return d.ctx->topic().empty() ? d.message.type->name : d.ctx->topic();
}

/// A span that could not be made is none.
void say_no_span() noexcept { msgbus::detail::say_thrown_by("the making of a span"); }

/// An awaited verb owns the origin that has its span: the span ends with the verb.
class verb_origin {
 public:
  static shared_origin make(const shared_span& of, const origin* handled) {
    const shared_origin made = msgbus::detail::origin_of(of, handled);
    return {made.get(), [made, of](const origin*) { of->end(); }};
  }
};

}  // namespace

// --- Handlers ------------------------------------------------------------------------------------

void end_span(const shared_span& of, const component_run& d, std::size_t failed_before) noexcept {
  if (!of) return;
  if (d.failed.size() > failed_before) of->fail(d.failed[failed_before]);
  of->end();
}

shared_span traced_call::span_of(const component_run& d, routing::entry& handler,
                                 const std::shared_ptr<tracer>& by) {
  const origin* const from = d.ctx->from();
  const std::optional<trace_context> parent = msgbus::detail::trace_from(from);
  std::optional<trace_context> ids;
  if (parent) {
    ids = msgbus::detail::sampled_ids(*by, &*parent);
  } else if (from && came_untraced(*d.ctx)) {
    ids = msgbus::detail::sampled_ids_for(*by, from->message_id);
  }
  if (!ids) return nullptr;
  const bool is_served = !d.operation.empty() && !d.from_mailbox;
  message_span of{.kind = is_served ? span_kind::server : span_kind::consumer,
                  .operation = "process",
                  .destination = destination_of(d),
                  .component = d.component->called().name()};
  if (from && came_untraced(*d.ctx)) of.from = from;
  span_data begun = msgbus::detail::described(of, *ids);
  begun.attributes.push_back({std::string(trace_names::handler), handler.describe()});
  if (d.only != 0) begun.attributes.push_back({std::string(trace_names::replayed), true});
  if (parent) begun.links.push_back(*parent);
  return msgbus::detail::begin_span(by, std::move(begun), parent ? &*parent : nullptr);
}

void traced_call::begin(component_run& d, routing::entry& handler,
                        const std::shared_ptr<tracer>& by) noexcept {
  const shared_origin* sends = cause_of_this_thread;
  if (is_not_sampled(*d.ctx, d.from_mailbox, sends)) {
    // A strand keeps an origin, and not the mark. That of a consumer loop has it already.
    if (!d.from_mailbox) cause_ = msgbus::detail::not_sampled_origin();
    scope_.emplace(sends);
    return;
  }
  try {
    span_ = span_of(d, handler, by);
    if (span_) {
      cause_ = msgbus::detail::origin_of(span_, d.ctx->from());
    } else if (came_untraced(*d.ctx) && !msgbus::detail::trace_from(d.ctx->from())) {
      // The messages that it causes are decided, too.
      cause_ = msgbus::detail::origin_with(trace_context::start(false), d.ctx->from());
    }
    if (cause_) scope_.emplace(&cause_);
  } catch (...) {
    say_no_span();
  }
}

asio::awaitable<void> run_under(asio::awaitable<void> handler, shared_origin cause) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const shared_origin before = exec::exchange_cause(here, std::move(cause));
  std::exception_ptr failure;
  try {
    co_await std::move(handler);
  } catch (...) {
    failure = std::current_exception();
  }
  (void)exec::exchange_cause(here, before);
  if (failure) std::rethrow_exception(failure);
}

// --- Sends ---------------------------------------------------------------------------------------

void component_core::trace(std::shared_ptr<tracer> by) {
  const bool is_wanted = by != nullptr;
  const std::uint64_t bound = is_wanted ? by->sampling().root_bound() : 0;
  shared.attached_observer.set_tracer(routes_.guarded(), std::move(by));
  mailbox.trace_sends(is_wanted, bound);
}

std::string_view component_core::sent_name(const exec::send_operation& out) const noexcept {
  const std::string_view topic = out.topic();
  return topic.empty() ? out.message().type->name : topic;
}

void component_core::set_cause(exec::send_operation& out, const shared_origin& cause) const {
  out.set_cause(cause);
}

shared_span component_core::begin_send(exec::send_operation& out, std::uint64_t number) noexcept {
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!by || !by->tracing) return nullptr;
  try {
    const shared_origin* cause = current_cause();
    if (out.shared()) {
      const exec::message_head head = out.shared()->head();
      if (head.came_with_it || head.listener) return nullptr;  // it came from elsewhere
      if (head.origin && *head.origin) cause = head.origin;
    }
    const origin* const from = cause ? cause->get() : nullptr;
    if (from == msgbus::detail::not_sampled_origin().get()) return nullptr;
    const std::optional<trace_context> parent = msgbus::detail::trace_from(from);
    std::optional<trace_context> ids;
    if (number != 0) {
      ids = msgbus::detail::root_ids(number);
    } else if (parent || !msgbus::detail::is_marked_not_sampled()) {
      ids = msgbus::detail::sampled_ids(**by->tracing, parent ? &*parent : nullptr);
    }
    if (!ids) return nullptr;
    const message_span of{.kind = span_kind::producer,
                          .operation = "send",
                          .destination = sent_name(out),
                          .component = called().name()};
    shared_span made = msgbus::detail::begin_span(*by->tracing, msgbus::detail::described(of, *ids),
                                                  parent ? &*parent : nullptr);
    set_cause(out, msgbus::detail::origin_of(made, from));
    return made;
  } catch (...) {
    say_no_span();
    return nullptr;
  }
}

std::string_view service_core::sent_name(const exec::send_operation& out) const noexcept {
  return (*static_cast<const command_ptr*>(out.message().data))->name;
}

void service_core::set_cause(exec::send_operation& out, const shared_origin& cause) const {
  command& asked = **static_cast<const command_ptr*>(out.message().data);
  asked.cause = cause;
  asked.ctx = context::caused_by(cause.get());
}

// --- Awaited verbs -------------------------------------------------------------------------------

namespace {

/// The cause of a call from now on: it has a span, or is not sampled. Null: as it was.
shared_origin traced_cause(component_core& to, const verb_call& call, std::string_view operation,
                           span_kind kind, std::string_view destination) {
  const routing::guard guard(to.routes().guarded());
  const attachments* const by = to.shared.attached_observer.attachments_now();
  if (!by || !by->tracing) return nullptr;
  const std::optional<trace_context> parent = msgbus::detail::trace_from(call.cause.get());
  std::optional<trace_context> ids;
  if (parent || !msgbus::detail::is_marked_not_sampled()) {
    ids = msgbus::detail::sampled_ids(**by->tracing, parent ? &*parent : nullptr);
  }
  if (!ids) return call.cause ? nullptr : msgbus::detail::not_sampled_origin();
  const message_span of{.kind = kind,
                        .operation = operation,
                        .destination = destination,
                        .component = to.called().name()};
  const shared_span made = msgbus::detail::begin_span(
      *by->tracing, msgbus::detail::described(of, *ids), parent ? &*parent : nullptr);
  return verb_origin::make(made, call.cause.get());
}

void set_cause(verb_call& of, shared_origin cause) noexcept {
  of.cause = std::move(cause);
  of.ctx = context::caused_by(of.cause.get(), of.ctx.topic());
}

std::string_view verb_on(std::string_view topic, std::size_t among) noexcept {
  if (among == 0) return topic.empty() ? "consume" : "receive";
  return topic.empty() ? "dispatch" : "publish";
}

}  // namespace

bool verb_run::begin_trace(component_core& to, std::size_t among) {
  verb_call& call = *call_;
  using tracing = verb_call::tracing;
  if (call.traced == tracing::undecided) {
    shared_origin cause;
    try {
      const std::string_view topic = call.ctx.topic();
      cause = traced_cause(to, call, verb_on(topic, among), span_kind::producer,
                           topic.empty() ? call.message.type->name : topic);
    } catch (...) {
      say_no_span();
    }
    if (!cause) return false;
    if (cause != msgbus::detail::not_sampled_origin()) {
      call.traced = tracing::sampled;
      set_cause(call, std::move(cause));
      return false;
    }
    call.traced = tracing::not_sampled;
  }
  if (call.traced != tracing::not_sampled || call.cause) return false;
  const cause_scope decided(&msgbus::detail::not_sampled_mark);
  if (runs_inline(to)) return true;
  set_cause(call, msgbus::detail::not_sampled_origin());
  return false;
}

void verb_run::begin_trace_of_command(component_core& to) {
  command& call = static_cast<command&>(*call_);
  shared_origin cause;
  try {
    cause = traced_cause(to, call, "execute", span_kind::client, call.name);
  } catch (...) {
    say_no_span();
  }
  if (!cause) return;
  if (cause != msgbus::detail::not_sampled_origin()) call.traced = verb_call::tracing::sampled;
  set_cause(call, std::move(cause));
}

void verb_run::trace_failure(const std::exception_ptr& failure) noexcept {
  if (call_->traced == verb_call::tracing::sampled) call_->cause->span->fail(failure);
}

}  // namespace msgbus::async::detail
