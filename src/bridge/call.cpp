#include <msgbus/detail/bridge/call.hpp>

#include "bridge/reply_sink.hpp"
#include "bridge/standards.hpp"
#include "bridge/trace.hpp"
#include "observe/active_span.hpp"
#include "policy/checks.hpp"

#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/detail/bridge/commands.hpp>
#include <msgbus/detail/bridge/shared_blocks.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/topic.hpp>

#include <algorithm>
#include <string>

namespace msgbus::bridging {

call::~call() {
  if (reply_) in_->waiting().remove(number_, *reply_);
}

void call::start(const asio::any_io_executor& here) {
  if (settings_.times) began_ = detail::times_now();
  waits_ = settings_.timeout;
  const auto until = std::min(until_, exec::deadline_on(here));
  if (until != std::chrono::steady_clock::time_point::max()) limit(until, exec::now(here));
  in_ = hub_->listen();
  using reply = transport::reply<reply_or_end>;
  reply_ = std::allocate_shared<reply>(shared_block_allocator<reply>());
  number_ = in_->waiting().add(reply_);
  if (number_ == 0) return;
  in_->waiting().limit(*reply_, here, waits_);
  request_.reply_to = in_->topic(number_);
  hub_->wire->publish(request_, transport::urgency::at_once);
}

void call::limit(std::chrono::steady_clock::time_point until,
                 std::chrono::steady_clock::time_point now) {
  const auto left = detail::saturating_sub(until, now);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
  if (ms <= 0) {
    throw error(errc::timed_out, "'" + request_.topic + "' was not called: its deadline is over");
  }
  waits_ = std::min(waits_, left);
  if (settings_.has_headers) {
    request_.headers.insert_or_assign(header::time_left, std::to_string(ms));
  }
}

asio::awaitable<void> call::wait() { return reply_->one_shot_event::wait(); }

envelope& call::take(const asio::cancellation_state& state) {
  measured_operation* const times = settings_.times;
  if (!span_ && !times) return answer(state);
  try {
    envelope& got = answer(state);
    if (span_) span_->recover();  // from the failures of earlier attempts
    if (times) times->ended.add(detail::times_now() - began_);
    return got;
  } catch (...) {
    if (span_) span_->fail(std::current_exception());
    if (times) times->failed.add(detail::times_now() - began_);
    throw;
  }
}

envelope& call::answer(const asio::cancellation_state& state) {
  exec::throw_if_aborted(state, "a request");
  in_->waiting().remove(number_, *reply_);
  const std::string& topic = request_.topic;
  if (!reply_->is_answered()) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(waits_).count();
    throw error(errc::timed_out,
                "'" + topic + "' did not reply within " + std::to_string(ms) + " ms");
  }
  reply_or_end& got = reply_->answer();
  if (!got.reply) throw error(got.code, got.why + " before '" + topic + "' replied");
  envelope& reply = *got.reply;
  // A service may have a header of this name in an answer of its own.
  if (reply.payload.empty() && header_of(reply, header::status) == "503") {
    throw error(errc::no_handler, no_process_serves(topic));
  }
  name_attributes(reply.headers);
  throw_error_in(reply, topic.substr(settings_.prefix + 1));
  return reply;
}

}  // namespace msgbus::bridging

namespace msgbus {

namespace {

call_options checked(call_options given) {
  detail::check(given.policy.retry);
  detail::check_not_negative("call_policy::deadline", given.policy.deadline);
  return given;
}

}  // namespace

remote_service::remote_service(const bridge& over, std::string prefix, call_options options)
    : hub_(over.state_->hub),
      prefix_(std::move(prefix)),
      options_(checked(std::move(options))),
      policy_(options_.policy.is_plain() ? nullptr
                                         : std::make_shared<const call_policy>(options_.policy)) {
  detail::check_topic(prefix_);
  described_ = hub_->add_remote(prefix_);
}

bridging::call remote_service::make_call(std::string_view name, detail::encoded arguments) const {
  std::string topic;
  topic.reserve(prefix_.size() + 1 + name.size());
  topic.append(prefix_).append(1, '.').append(name);
  detail::check_topic(topic);
  bridging::measured_operation* const times =
      hub_->measures() ? &hub_->operation(described_->calls, "call", prefix_) : nullptr;
  const bridging::outbound_span traced = bridging::begin_outbound(
      *hub_, span_kind::client, "call", topic, context::caused_by(detail::current_origin()));
  // CloudEvents need a type.
  const std::string type = options_.form == header_form::cloudevents ? topic : std::string();
  envelope request = bridging::make_envelope(hub_->ids, std::move(topic), std::move(arguments),
                                             {.type = type,
                                              .ctx = traced.ctx,
                                              .form = options_.form,
                                              .source = options_.source,
                                              .is_request = true});
  return {hub_,
          std::move(request),
          {prefix_.size(), options_.timeout, options_.form != header_form::none, policy_, times},
          traced.span};
}

}  // namespace msgbus
