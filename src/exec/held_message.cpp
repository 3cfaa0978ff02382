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

namespace {

// As new and delete do it for the message's type, since its owner deletes it.
bool is_over_aligned(std::size_t alignment) { return alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__; }

void* take_memory(std::size_t bytes, std::size_t alignment) {
  if (is_over_aligned(alignment)) return ::operator new(bytes, std::align_val_t{alignment});
  return ::operator new(bytes);
}

void give_back(void* place, std::size_t alignment) noexcept {
  if (is_over_aligned(alignment)) return ::operator delete(place, std::align_val_t{alignment});
  ::operator delete(place);
}

}  // namespace

owned_message held_message::box() {
  void* const place = take_memory(outside_.bytes(), outside_.alignment());
  try {
    return owned_message(at_->move_to(place));
  } catch (...) {
    give_back(place, outside_.alignment());
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
