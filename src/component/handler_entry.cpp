#include <msgbus/detail/component/handler_entry.hpp>

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

}  // namespace msgbus::component
