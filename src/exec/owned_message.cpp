#include <msgbus/detail/exec/owned_message.hpp>

#include <variant>

namespace msgbus::exec {

owned_message::owned_message(owned_message&& other) noexcept
    : outside_(std::move(other.outside_)), is_valueless_(other.is_valueless_) {
  if (other.is_inside()) {
    at_ = other.at_->move_to(place_);
  } else {
    at_ = std::exchange(other.at_, nullptr);
  }
}

owned_message::~owned_message() {
  if (at_) at_->~movable_queued_message();
}

void owned_message::throw_valueless() { throw std::bad_variant_access(); }

shared_message owned_message::share() { return at_->share(); }

send_operation owned_message::as_send_operation() {
  static constexpr send_operation::source source{
      [](void* at, void*, void* storage) noexcept {
        (void)static_cast<owned_message*>(at)->at_->move_to(storage);
      },
      [](void* at, void*) { return static_cast<owned_message*>(at)->share(); },
      [](const void* at, const void*) noexcept {
        return static_cast<const owned_message*>(at)->at_->message();
      },
      [](const void* at, const void*) noexcept {
        return static_cast<const owned_message*>(at)->at_->topic();
      }};
  (void)get();
  // A message outside is too large, or its move may throw.
  const std::uint32_t units =
      is_inside() ? block_queue::units_for(outside_.bytes(), outside_.alignment()) : 0;
  return {source, units, this};
}

}  // namespace msgbus::exec
