#include "delivery.hpp"

#include <algorithm>
#include <charconv>

namespace msgbus::nats {

namespace {

constexpr std::string_view prefix = "$JS.ACK.";

class nats_delivery final : public transport::delivery {
 public:
  nats_delivery(envelope received, std::string ack_topic, unsigned deliveries,
                std::shared_ptr<link> over)
      : delivery(std::move(received), deliveries),
        ack_topic_(std::move(ack_topic)),
        over_(std::move(over)) {}

  bool ack() noexcept override { return settle("+ACK"); }
  bool term() noexcept override { return settle("+TERM"); }
  bool in_progress() noexcept override { return settled_ || send("+WPI"); }
  bool nak(std::chrono::nanoseconds delay) noexcept override {
    if (delay.count() <= 0) return settle("-NAK");
    char text[64] = "-NAK {\"delay\":";
    char* end = text + std::string_view(text).size();
    end = std::to_chars(end, std::end(text) - 1, delay.count()).ptr;
    *end++ = '}';
    return settle({text, static_cast<std::size_t>(end - text)});
  }

 private:
  bool settle(std::string_view how) noexcept {
    if (settled_) return true;
    settled_ = send(how);
    return settled_;
  }
  bool send(std::string_view what) noexcept { return over_->send(ack_topic_, {}, what); }

  const std::string ack_topic_;
  const std::shared_ptr<link> over_;
  bool settled_ = false;
};

}  // namespace

bool is_delivery(const char* reply_to) noexcept {
  return reply_to && std::string_view(reply_to).starts_with(prefix);
}

unsigned deliveries_in(std::string_view ack_topic) noexcept {
  // $JS.ACK.<stream>.<consumer>.<deliveries>..., or, with 11 tokens or more,
  // $JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>...
  const auto dots = std::count(ack_topic.begin(), ack_topic.end(), '.');
  std::string_view rest = ack_topic;
  for (int skipped = dots >= 10 ? 6 : 4; skipped > 0; --skipped) {
    rest.remove_prefix(std::min(rest.find('.'), rest.size() - 1) + 1);
    if (rest.empty()) return 1;
  }
  unsigned result = 1;
  std::from_chars(rest.data(), rest.data() + rest.size(), result);
  return std::max(1u, result);
}

std::unique_ptr<transport::delivery> make_delivery(natsMsg* message, std::shared_ptr<link> over) {
  envelope received = from_nats(message);
  std::string ack_topic = std::move(received.reply_to);
  received.reply_to.clear();
  const unsigned deliveries = deliveries_in(ack_topic);
  return std::make_unique<nats_delivery>(std::move(received), std::move(ack_topic), deliveries,
                                         std::move(over));
}

void give_back(link& over, const char* ack_topic) noexcept { over.send(ack_topic, {}, "-NAK"); }

}  // namespace msgbus::nats
