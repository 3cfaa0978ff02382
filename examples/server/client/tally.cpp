#include "client/tally.hpp"

#include <algorithm>
#include <fstream>

namespace load {

void latencies::add(std::chrono::steady_clock::duration took) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  all_.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(count, UINT32_MAX)));
}

double latencies::quantile_ms(double share) {
  if (all_.empty()) return 0;
  const auto last = static_cast<double>(all_.size() - 1);
  const auto place = all_.begin() + static_cast<std::ptrdiff_t>(last * share);
  std::nth_element(all_.begin(), place, all_.end());
  return *place / 1000.0;
}

void tally::add(std::string_view command, const json& result, std::int64_t amount) {
  const auto value = [&] {
    return result.at("quantity").get<std::int64_t>() * result.at("price").get<std::int64_t>();
  };
  const auto symbol = [&] { return result.at("symbol").get<std::string>(); };
  std::string topic;
  if (command == "open_account") {
    ++sums_.accounts;
    topic = "accounts.opened";
  } else if (command == "deposit") {
    sums_.deposited += amount;
    topic = "accounts.deposited";
  } else if (command == "withdraw") {
    sums_.withdrawn += amount;
    topic = "accounts.withdrawn";
  } else if (command == "place_order") {
    sums_.set_aside += value();
    ++sums_.orders_placed;
    orders.push_back(result.at("order").get<std::int64_t>());
    topic = "orders." + symbol() + ".placed";
  } else if (command == "cancel_order") {
    sums_.set_aside -= value();
    ++sums_.orders_cancelled;
    topic = "orders." + symbol() + ".cancelled";
  } else {
    return;
  }
  ++events_;
  ++topics_[topic];
}

std::uint64_t tally::notices(std::string_view prefix) const {
  std::uint64_t count = 0;
  for (const auto& [topic, times] : topics_) {
    if (topic.starts_with(prefix)) count += times;
  }
  return count;
}

audited read_audit(const std::string& file) {
  audited found;
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    const json line = json::parse(text);
    const auto event = line.at("event").get<std::string>();
    found.in_order = found.in_order && line.at("n").get<std::uint64_t>() == ++found.lines;
    const auto number = [&](const char* name) { return line.at(name).get<std::int64_t>(); };
    if (event == "account_opened") {
      ++found.sums.accounts;
    } else if (event == "money_deposited") {
      found.sums.deposited += number("amount");
    } else if (event == "money_withdrawn") {
      found.sums.withdrawn += number("amount");
    } else if (event == "order_placed") {
      ++found.sums.orders_placed;
      found.sums.set_aside += number("quantity") * number("price");
    } else if (event == "order_cancelled") {
      ++found.sums.orders_cancelled;
      found.sums.set_aside -= number("quantity") * number("price");
    }
  }
  return found;
}

}  // namespace load
