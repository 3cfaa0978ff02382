#pragma once

/// The routes of a consumer: event type -> ordered handlers (T1).

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/detail/routing/table.hpp>

#include <memory>
#include <span>

namespace msgbus::routing {

/// One type that a handler accepts, with the call for that type. A null type stands for every event
/// (T4).
struct typed_call {
  type_key type;
  void (*call)();
  void (*plain)() = nullptr;  // see `entry::plain`
};

class typed_entry : public entry {
 public:
  /// `calls` exists as long as the program.
  typed_entry(std::uint64_t order, std::span<const typed_call> calls) noexcept
      : entry(order, calls.size() == 1 ? calls[0].plain : nullptr), calls_(calls) {}

  [[nodiscard]] std::span<const typed_call> calls() const noexcept { return calls_; }

 private:
  std::span<const typed_call> calls_;
};

class type_table : public router {
 public:
  type_table() = default;
  ~type_table() override;

  /// For readers, under a guard. Null if the type never had a handler. The `sole` handler of the
  /// route is then the only one of the type.
  [[nodiscard]] const quick_route* find_route(type_key type) const noexcept {
    const node* found = nodes_.find(type, type->hash);
    return found ? &found->handlers : nullptr;
  }
  [[nodiscard]] const route_entries* find(type_key type) const noexcept {
    const quick_route* const found = find_route(type);
    return found ? found->entries() : nullptr;
  }

  /// For readers, under a guard: the handlers of every event.
  [[nodiscard]] const route_entries* any() const noexcept { return any_.entries(); }

  /// `make(order)` returns a `shared_ptr` to a kind of `typed_entry`.
  template <class Make>
  auto attach(Make make) {
    return std::static_pointer_cast<made_by<Make>>(attach_made(make));
  }

 private:
  std::shared_ptr<entry> attach_made(make_entry make);

  // A program has a bounded number of types, so a route remains after its last handler.
  struct node {
    explicit node(type_key of) : type(of), hash(of->hash) {}
    [[nodiscard]] bool is(type_key other) const noexcept { return type.is_with_same_hash(other); }
    const kept_type type;
    const std::size_t hash;
    quick_route handlers;
  };

  quick_route& route_for(type_key type, routing::retire_list& old);
  void link(typed_entry& added, routing::retire_list& old) noexcept;
  void unlink(entry& removed, routing::retire_list& old) noexcept override;
  void hide_soles() noexcept override;
  [[nodiscard]] bool may_be_sole() const noexcept { return any_.entries() == nullptr; }

  routing::table<node, false> nodes_;
  quick_route any_;
};

}  // namespace msgbus::routing
