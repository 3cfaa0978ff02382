#pragma once

/// The letters of async `dead_letters`, and what is needed to replay them.

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/detail/exec/queued_message.hpp>

#include "async/attempts.hpp"
#include "policy/letter_store.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace msgbus::async::detail {

/// The handler is known by its place, not kept: it may go.
struct letter_content {
  exec::shared_message message;
  std::weak_ptr<component_core> component;
  std::uint64_t handler = 0;  // its `order`
};

class dead_letter_store final : public msgbus::detail::letter_store<letter_content> {
 public:
  using letter_store::letter_store;

  /// A dead letter as a monitor lists it.
  struct listed_letter {
    dead_letter entry;
    std::string component = {};  // its name; empty: it was destroyed, or has none
    bool has_component = false;
    bool replaying = false;
  };
  struct view {
    std::size_t kept = 0;
    dead_letter_counters counts = {};
    std::map<const void*, std::size_t> by_component = {};  // those that exist
    std::vector<listed_letter> newest = {};                // first
  };
  [[nodiscard]] view look(std::size_t most) const;
};

/// Keeps the message of a run that has finally failed.
struct letter_access {
  [[nodiscard]] static dead_letter_store::view look(const dead_letters& at, std::size_t most);
  static void add(dead_letters& to, const handler_run& run, std::size_t attempts,
                  const failures& failed);
};

}  // namespace msgbus::async::detail
