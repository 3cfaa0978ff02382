#include <msgbus/detail/bridge/call.hpp>

#include <msgbus/detail/bridge/commands.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "bridge/answers.hpp"
#include "bridge/cloud_event.hpp"

#include <algorithm>
#include <string>

namespace msgbus::bridging {

call::~call() {
  if (!reply_) return;
  in_->remove(key_);
  reply_->end();
}

void call::start(const asio::any_io_executor& here) {
  waits_ = settings_.timeout;
  const auto until = std::min(until_, exec::deadline_on(here));
  if (until != std::chrono::steady_clock::time_point::max()) limit(until, exec::now(here));
  in_ = hub_->listen();
  reply_ = std::make_shared<timed_reply>(here);
  key_ = in_->add(reply_);
  if (key_ == 0) return reply_->set();
  request_.reply_to = in_->topic(key_);
  hub_->wire->publish(request_, transport::urgency::at_once);
  // The pending wait keeps the reply.
  reply_->timer_state::start(waits_, [one = reply_.get()] { one->set(); });
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

envelope call::take(const asio::cancellation_state& state) {
  exec::throw_if_aborted(state, "a request");
  in_->remove(key_);
  reply_->end();
  const std::string& topic = request_.topic;
  if (!reply_->answer) {
    if (reply_->ended) {
      throw error(reply_->ended->code, reply_->ended->why + " before '" + topic + "' replied");
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(waits_).count();
    throw error(errc::timed_out,
                "'" + topic + "' did not reply within " + std::to_string(ms) + " ms");
  }
  envelope answer = std::move(*reply_->answer);
  // A service may have a header of this name in an answer of its own.
  if (answer.payload.empty() && header_of(answer, header::status) == "503") {
    throw error(errc::no_handler, "no process serves '" + topic + "'");
  }
  name_attributes(answer.headers);
  throw_error_in(answer, topic.substr(settings_.prefix + 1));
  return answer;
}

}  // namespace msgbus::bridging
