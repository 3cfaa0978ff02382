#include "notice.hpp"

#include <utility>

#include "json_text.hpp"

namespace exchange {

std::string topic_of(const account_opened&) { return "accounts.opened"; }
std::string topic_of(const money_deposited&) { return "accounts.deposited"; }
std::string topic_of(const money_withdrawn&) { return "accounts.withdrawn"; }
std::string topic_of(const order_placed& event) {
  return "orders." + event.order.symbol + ".placed";
}
std::string topic_of(const order_cancelled& event) {
  return "orders." + event.order.symbol + ".cancelled";
}

template <class Event>
notice notice_of(const Event& event, std::string_view topic, std::uint64_t count) {
  std::string line;
  line.reserve(200);
  {
    object_text object(line);
    object.add("topic", topic);
    object.add("n", count);
    write(object.begin("notice"), event);
  }
  line += '\n';
  return {std::make_shared<const std::string>(std::move(line))};
}

template notice notice_of(const account_opened&, std::string_view, std::uint64_t);
template notice notice_of(const money_deposited&, std::string_view, std::uint64_t);
template notice notice_of(const money_withdrawn&, std::string_view, std::uint64_t);
template notice notice_of(const order_placed&, std::string_view, std::uint64_t);
template notice notice_of(const order_cancelled&, std::string_view, std::uint64_t);

}  // namespace exchange
