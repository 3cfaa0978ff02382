#pragma once

/// The letters of sync `dead_letters`, and what is needed to replay them.

#include <msgbus/detail/sync/guarded.hpp>
#include <msgbus/sync/dead_letters.hpp>

#include "policy/letter_store.hpp"

namespace msgbus::sync::detail {

/// The handler is known by its place, not kept: it may go.
struct letter_content {
  type_key type = nullptr;
  std::shared_ptr<const void> message;  // a copy
  replay_target in;
  std::uint64_t handler = 0;  // its `order`
};

class dead_letter_store final : public msgbus::detail::letter_store<letter_content> {
 public:
  using letter_store::letter_store;
};

struct letter_access {
  static void add(dead_letters& to, dead_letter_store::kept_letter added) {
    to.store_->add(std::move(added));
  }
};

}  // namespace msgbus::sync::detail
