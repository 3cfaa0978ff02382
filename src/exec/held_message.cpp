#include <msgbus/detail/exec/held_message.hpp>

#include <variant>

namespace msgbus::exec {

held_message::held_message(held_message&& other) noexcept
    : outside_(std::move(other.outside_)), is_valueless_(other.is_valueless_) {
  if (other.is_inside()) {
    at_ = other.at_->move_to(place_);
  } else {
    at_ = std::exchange(other.at_, nullptr);
  }
}

held_message::~held_message() {
  if (at_) at_->~movable_queued_message();
}

void held_message::throw_valueless() { throw std::bad_variant_access(); }

shared_message held_message::share() { return at_->share(); }

send_operation held_message::on_its_way() {
  static constexpr send_operation::source source{
      [](void* at, void*, void* place) noexcept {
        (void)static_cast<held_message*>(at)->at_->move_to(place);
      },
      [](void* at, void*) { return static_cast<held_message*>(at)->share(); },
      [](const void* at, const void*) noexcept {
        return static_cast<const held_message*>(at)->at_->message();
      },
      [](const void* at, const void*) noexcept {
        return static_cast<const held_message*>(at)->at_->topic();
      }};
  (void)get();
  // A message outside is too large, or its move may throw.
  const std::uint32_t units =
      is_inside() ? block_queue::units_for(outside_.bytes(), outside_.alignment()) : 0;
  return {source, units, this};
}

}  // namespace msgbus::exec
