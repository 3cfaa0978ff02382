#include "delivery.hpp"

#include "durations.hpp"

#include <algorithm>
#include <charconv>

namespace msgbus::nats {

namespace {

constexpr std::string_view prefix = "$JS.ACK.";

class nats_delivery final : public transport::delivery {
 public:
  nats_delivery(envelope received, std::string ack_topic, delivered about,
                std::shared_ptr<progress> in)
      : delivery(std::move(received), about.times, about.sequence),
        over_(in->over()),
        ack_topic_(std::move(ack_topic)),
        in_progress_(std::move(in), ack_topic_) {}

  bool ack() noexcept override { return settle("+ACK"); }
  bool term() noexcept override { return settle("+TERM"); }
  bool nak(std::chrono::nanoseconds delay) noexcept override {
    if (delay.count() <= 0) return settle("-NAK");
    char text[64] = "-NAK {\"delay\":";
    char* end = text + std::string_view(text).size();
    end = std::to_chars(end, std::end(text) - 1, nanoseconds(delay)).ptr;
    *end++ = '}';
    return settle({text, static_cast<std::size_t>(end - text)});
  }

 private:
  bool settle(std::string_view how) noexcept {
    if (settled_) return true;
    in_progress_.remove();
    settled_ = over_->send(ack_topic_, {}, how);
    return settled_;
  }

  const std::shared_ptr<link> over_;
  const std::string ack_topic_;
  progress::entry in_progress_;
  bool settled_ = false;
};

}  // namespace

bool is_delivery(const char* reply_to) noexcept {
  return reply_to && std::string_view(reply_to).starts_with(prefix);
}

delivered read_ack_topic(std::string_view ack_topic) noexcept {
  // $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>..., or, with 11 tokens or more,
  // $JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.<sequence>...
  const auto dots = std::count(ack_topic.begin(), ack_topic.end(), '.');
  std::string_view rest = ack_topic;
  const auto skip = [&rest] {
    rest.remove_prefix(rest.find('.') == rest.npos ? rest.size() : rest.find('.') + 1);
  };
  for (int skipped = dots >= 10 ? 6 : 4; skipped > 0; --skipped) skip();
  delivered result;
  std::from_chars(rest.data(), rest.data() + rest.size(), result.times);
  result.times = std::max(1u, result.times);
  skip();
  std::from_chars(rest.data(), rest.data() + rest.size(), result.sequence);
  return result;
}

std::unique_ptr<transport::delivery> make_delivery(natsMsg* message, std::shared_ptr<progress> in) {
  envelope received = from_nats(message);
  std::string ack_topic = std::move(received.reply_to);
  received.reply_to.clear();
  const delivered about = read_ack_topic(ack_topic);
  return std::make_unique<nats_delivery>(std::move(received), std::move(ack_topic), about,
                                         std::move(in));
}

void give_back(link& over, const char* ack_topic) noexcept { over.send(ack_topic, {}, "-NAK"); }

}  // namespace msgbus::nats
