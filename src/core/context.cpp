#include <msgbus/context.hpp>

#include <msgbus/detail/core/cause.hpp>

namespace msgbus::detail {

constinit thread_local const shared_origin* cause_of_this_thread = nullptr;

}  // namespace msgbus::detail

namespace msgbus {

std::string_view context::message_id() const noexcept {
  return origin_ && !made_here_ ? std::string_view(origin_->message_id) : std::string_view();
}

std::string_view context::correlation_id() const noexcept {
  return origin_ ? origin_->chain() : std::string_view();
}

std::string_view context::causation_id() const noexcept {
  if (!origin_) return {};
  return made_here_ ? origin_->message_id : origin_->causation_id;
}

unsigned context::attempt() const noexcept {
  return attempt_ +
         (origin_ && !made_here_ && origin_->deliveries > 0 ? origin_->deliveries - 1 : 0);
}

std::optional<stream_position> context::stored() const noexcept {
  if (!origin_ || made_here_ || !origin_->stream) return {};
  return stream_position{*origin_->stream, origin_->sequence};
}

const headers& context::headers() const noexcept {
  static const msgbus::headers none;
  return origin_ && !made_here_ ? origin_->headers : none;
}

}  // namespace msgbus
