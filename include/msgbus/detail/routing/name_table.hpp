#pragma once

/// The routes of a service: from the name of an operation to its handler.

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/detail/routing/table.hpp>
#include <msgbus/registered_at.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::routing {

class named_entry : public entry {
 public:
  named_entry(std::uint64_t order, std::string given, const registered_at& line)
      : entry(order), hash(hash_of(given)), name(std::move(given)), attached_at(line) {}

  [[nodiscard]] bool is(std::string_view other) const noexcept { return is_same_text(name, other); }

  const std::size_t hash;
  const std::string name;
  const registered_at attached_at;
};

class name_table : public router {
 public:
  /// For readers, under a guard. Null if there is no such name.
  [[nodiscard]] named_entry* find(std::string_view name) const noexcept {
    return nodes_.find(name, hash_of(name));
  }

  /// `make(order)` returns a `shared_ptr` to a kind of `named_entry`. Throws: `duplicate_handler`
  /// if the name exists; `bad_arguments` if it is empty.
  template <class Make>
  auto attach(std::string_view name, Make make) {
    return std::static_pointer_cast<made_by<Make>>(attach_made(name, make));
  }

  /// All names, sorted: for errors and for users. Takes the writers' lock.
  [[nodiscard]] std::vector<std::string> names();

 private:
  std::shared_ptr<entry> attach_made(std::string_view name, make_entry make);
  void check_free(std::string_view name) const;
  void unlink(entry& removed, routing::retire_list&) noexcept override {
    nodes_.erase(static_cast<named_entry&>(removed));
  }

  routing::table<named_entry> nodes_;
};

}  // namespace msgbus::routing
