#pragma once

/// What followers get.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "domain.hpp"

namespace exchange {

/// Written as text once, however many follow.
struct notice {
  std::shared_ptr<const std::string> line;
};

/// The topic of a fact, such as orders.ACME.placed or accounts.deposited.
[[nodiscard]] std::string topic_of(const account_opened& event);
[[nodiscard]] std::string topic_of(const money_deposited& event);
[[nodiscard]] std::string topic_of(const money_withdrawn& event);
[[nodiscard]] std::string topic_of(const order_placed& event);
[[nodiscard]] std::string topic_of(const order_cancelled& event);

/// The notice of a fact, the `count`th there is. `Event` is one of those in `fact`.
template <class Event>
[[nodiscard]] notice notice_of(const Event& event, std::string_view topic, std::uint64_t count);

}  // namespace exchange
