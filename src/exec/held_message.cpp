#include <msgbus/exec/held_message.hpp>

#include <msgbus/exec/outgoing.hpp>

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
  if (at_) at_->~movable_carried();
}

void held_message::throw_valueless() { throw std::bad_variant_access(); }

owned_message held_message::box() {
  // As new and delete do it for the message's type, since its owner deletes it.
  const std::align_val_t alignment{outside_.alignment()};
  const bool is_aligned = outside_.alignment() > __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  void* const place =
      is_aligned ? ::operator new(outside_.bytes(), alignment) : ::operator new(outside_.bytes());
  try {
    return owned_message(at_->move_to(place));
  } catch (...) {
    is_aligned ? ::operator delete(place, alignment) : ::operator delete(place);
    throw;
  }
}

shared_message held_message::share() { return at_->share(); }

void outgoing_held::prepare(bool for_slot) {
  if (boxed_ || (for_slot && message_.fits(sizeof(ring::slot::place)) && !current_cause())) return;
  boxed_ = with_cause(message_.box());
}

void outgoing_held::put(void* place) noexcept {
  if (boxed_) {
    ::new (place) carried_elsewhere<owned_message>(std::move(boxed_));
  } else {
    message_.move_to(place);
  }
}

}  // namespace msgbus::exec
