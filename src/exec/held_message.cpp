#include <msgbus/exec/held_message.hpp>

#include <msgbus/exec/outgoing.hpp>

#include <variant>

namespace msgbus::exec {

held_message::held_message(held_message&& other) noexcept
    : bytes_(other.bytes_), is_valueless_(other.is_valueless_) {
  if (other.is_inside()) {
    at_ = other.at_->move_to(place_);
  } else {
    at_ = std::exchange(other.at_, nullptr);
  }
}

held_message::~held_message() {
  if (is_inside()) {
    at_->~movable_carried();
  } else {
    delete at_;
  }
}

void held_message::throw_valueless() { throw std::bad_variant_access(); }

owned_message held_message::box() {
  if (!is_inside()) return owned_message(std::exchange(at_, nullptr));
  void* const place = ::operator new(bytes_);  // what is inside is not aligned beyond that
  return owned_message(at_->move_to(place));
}

shared_message held_message::share() {
  if (!is_inside()) return box();
  const auto shared = std::make_shared<held_message>(std::move(*this));
  return {shared, shared->at_};
}

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

namespace {

/// A message that was moved to where it is shared.
class shared_place {
 public:
  explicit shared_place(movable_carried& from) : message(from.move_to(bytes_)) {}
  shared_place(const shared_place&) = delete;
  shared_place& operator=(const shared_place&) = delete;
  ~shared_place() { message->~movable_carried(); }

 private:
  alignas(void*) std::byte bytes_[movable_carried::largest_shared];

 public:
  movable_carried* const message;
};

}  // namespace

shared_message movable_carried::share_moved() {
  const auto place = std::make_shared<shared_place>(*this);
  return {place, place->message};
}

}  // namespace msgbus::exec
