#include <msgbus/detail/sync/thread_span.hpp>

#include <msgbus/detail/routing/entry.hpp>

#include "core/text.hpp"
#include "core/trace_state.hpp"
#include "observe/active_span.hpp"
#include "observe/message_span.hpp"
#include "observe/trace_table.hpp"
#include "sync/trace_verb.hpp"

#include <optional>
#include <string>
#include <utility>

namespace msgbus::sync::detail {

namespace {

using msgbus::detail::message_span;
namespace trace_names = msgbus::detail::trace_names;

span_data described(const message_span& of, const trace_context& ids, const trace_context* parent,
                    const routing::entry* handler, bool replayed) {
  span_data begun = msgbus::detail::described(of, ids);
  if (!handler) return begun;
  begun.attributes.push_back({std::string(trace_names::handler), handler->describe()});
  if (replayed) begun.attributes.push_back({std::string(trace_names::replayed), true});
  if (parent) begun.links.push_back(*parent);
  return begun;
}

}  // namespace

thread_span::thread_span() noexcept { cause_of_this_thread = &msgbus::detail::not_sampled_mark; }

thread_span::thread_span(const std::shared_ptr<tracer>& by, std::uint64_t number,
                         const message_span& verb) noexcept {
  begin(by, number, verb, nullptr, false);
}

thread_span::thread_span(const std::shared_ptr<tracer>& by, const message_span& call,
                         const routing::entry& handler, bool replayed) noexcept {
  begin(by, 0, call, &handler, replayed);
}

void thread_span::begin(const std::shared_ptr<tracer>& by, std::uint64_t number,
                        const message_span& call, const routing::entry* handler,
                        bool replayed) noexcept {
  if (msgbus::detail::is_marked_not_sampled()) return;
  try {
    const origin* const from = msgbus::detail::current_origin();
    if (from && from == msgbus::detail::not_sampled_origin().get()) return;
    const std::optional<trace_context> in = msgbus::detail::trace_from(from);
    const trace_context* const parent = in ? &*in : nullptr;
    const std::optional<trace_context> ids =
        number != 0 ? msgbus::detail::root_ids(number) : msgbus::detail::sampled_ids(*by, parent);
    if (ids) {
      span_ =
          msgbus::detail::begin_span(by, described(call, *ids, parent, handler, replayed), parent);
      cause_ = msgbus::detail::origin_of(span_, from);
    } else if (!from) {
      cause_of_this_thread = &msgbus::detail::not_sampled_mark;
    } else if (!parent) {  // the messages that it causes are decided, too
      cause_ = msgbus::detail::origin_with(trace_context::start(false), from);
    }
    if (cause_) cause_of_this_thread = &cause_;
  } catch (...) {
    msgbus::detail::say_thrown_by("the making of a span");
  }
}

thread_span::~thread_span() {
  cause_of_this_thread = before_;
  if (span_) span_->end();
}

void thread_span::fail(const std::exception_ptr& why) noexcept {
  if (span_ && why) span_->fail(why);
}

void thread_span::discard() noexcept {
  if (span_) span_->discard();
}

void verb_span::fail_as_thrown() noexcept {
  try {
    if (d_.failed.size() == failed_before_ + 1) return span_->fail(d_.failed[failed_before_]);
    std::vector<std::exception_ptr> all;
    for (std::size_t i = failed_before_; i < d_.failed.size(); ++i) all.push_back(d_.failed[i]);
    span_->fail(std::make_exception_ptr(dispatch_error(std::move(all))));
  } catch (...) {  // without memory, the reason is that of the first handler
    span_->fail(d_.failed[failed_before_]);
  }
}

}  // namespace msgbus::sync::detail
