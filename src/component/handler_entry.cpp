#include <msgbus/detail/component/handler_entry.hpp>

#include <msgbus/detail/component/any_callable.hpp>

#include <cstring>
#include <new>

namespace msgbus::component {

namespace {

void add_name(std::string& to, type_key type) {
  if (!to.empty()) to += " | ";
  to += type->name;
}

}  // namespace

std::string names_of(std::span<const type_key> types) {
  std::string all;
  for (const type_key each : types) add_name(all, each);
  return all.empty() ? "any type" : all;
}

event_entry::event_entry(std::uint64_t order, std::span<const routing::typed_call> calls,
                         const callable_type& type, void* callable, const registered_at& line)
    : typed_entry(order, calls), callable_(type, callable), attached_at_(line) {}

event_entry::~event_entry() = default;

std::string event_entry::describe() const {
  std::string all;
  for (const routing::typed_call& each : calls()) {
    if (each.type) add_name(all, each.type);
  }
  return "handler of " + (all.empty() ? "any type" : all);
}

message_entry::message_entry(std::uint64_t order, std::vector<std::string> patterns,
                             const message_calls& calls, const callable_type& type, void* callable,
                             const registered_at& line)
    : topic_entry(order, std::move(patterns), calls.call, calls.plain),
      types_(calls.types),
      callable_(type, callable),
      attached_at_(line) {}

message_entry::~message_entry() = default;

std::string message_entry::describe() const {
  return "handler of " + names_of(types_) + " on " + describe_patterns();
}

any_callable::any_callable(const callable_type& type, void* from) : type_(&type) {
  const bool fits = type.size <= sizeof inside_ && type.alignment <= alignof(std::max_align_t);
  at_ = fits ? inside_ : ::operator new(type.size, std::align_val_t{type.alignment});
  if (!type.move) {
    std::memcpy(at_, from, type.size);
    return;
  }
  try {
    type.move(at_, from);
  } catch (...) {
    free();
    throw;
  }
}

void any_callable::destroy() noexcept {
  if (!type_) return;
  if (type_->destroy) type_->destroy(at_);
  free();
  type_ = nullptr;
}

void any_callable::free() noexcept {
  if (!is_inside()) ::operator delete(at_, std::align_val_t{type_->alignment});
}

}  // namespace msgbus::component
