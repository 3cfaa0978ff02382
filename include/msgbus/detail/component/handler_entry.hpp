#pragma once

/// The entries of handlers of events and of messages: one class for all types.

#include <msgbus/detail/component/any_callable.hpp>
#include <msgbus/detail/routing/topic_tree.hpp>
#include <msgbus/detail/routing/type_table.hpp>
#include <msgbus/registered_at.hpp>

#include <array>
#include <span>
#include <string>
#include <vector>

namespace msgbus::component {

/// A handler of events of some types, or of every type.
class event_entry : public routing::typed_entry {
 public:
  event_entry(std::uint64_t order, std::span<const routing::typed_call> calls,
              const callable_type& type, void* callable, const registered_at& line);
  ~event_entry() override;

  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] void* callable() const noexcept { return callable_.get(); }
  [[nodiscard]] const any_callable& handler() const noexcept { return callable_; }
  [[nodiscard]] const registered_at& attached_at() const noexcept { return attached_at_; }

 private:
  void destroy_callable() noexcept override { callable_.destroy(); }

  any_callable callable_;
  const registered_at attached_at_;  // last: no call reads it
};

/// The call of a message handler, and the types that it accepts; an empty list accepts every type.
struct message_calls {
  void (*call)();
  std::span<const type_key> types;  // they live as long as the program
  void (*plain)() = nullptr;        // see `entry::plain`
};

/// A handler of messages of some types, or of every type.
class message_entry : public routing::topic_entry {
 public:
  message_entry(std::uint64_t order, std::vector<std::string> patterns, const message_calls& calls,
                const callable_type& type, void* callable, const registered_at& line);
  ~message_entry() override;

  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] void* callable() const noexcept { return callable_.get(); }
  [[nodiscard]] const any_callable& handler() const noexcept { return callable_; }
  [[nodiscard]] const registered_at& attached_at() const noexcept { return attached_at_; }
  [[nodiscard]] std::span<const type_key> types() const noexcept { return types_; }

 private:
  void destroy_callable() noexcept override { callable_.destroy(); }

  const std::span<const type_key> types_;
  any_callable callable_;
  const registered_at attached_at_;  // last: no call reads it
};

/// The callable of an entry. The caller knows its type.
template <class F, class Entry>
[[nodiscard]] F& callable_in(routing::entry& entry) noexcept {
  return static_cast<const Entry&>(entry).handler().template as<F>();
}

/// `A | B`, or `any type` if there are none.
[[nodiscard]] std::string names_of(std::span<const type_key> types);

template <class... Ts>
inline constexpr std::array<type_key, sizeof...(Ts)> keys_of{key_of<Ts>...};

}  // namespace msgbus::component
