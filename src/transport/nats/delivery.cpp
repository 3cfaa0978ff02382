#include "delivery.hpp"

#include "durations.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds shortest_period = 1ms;
constexpr std::chrono::nanoseconds while_away = 100ms;

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

  const std::shared_ptr<connection> over_;
  const std::string ack_topic_;
  progress::entry in_progress_;
  bool settled_ = false;
};

}  // namespace

// --- Progress. -----------------------------------------------------------------------------------

progress::entry::entry(std::shared_ptr<progress> in, const std::string& ack_topic)
    : in_(std::move(in)),
      ack_topic_(ack_topic),
      due_(std::chrono::steady_clock::now() + in_->period_) {
  const std::lock_guard lock(in_->mutex_);
  if (!in_->looks_) in_->look_at(due_);
  in_->append(*this);
}

void progress::entry::remove() noexcept {
  if (!is_listed_) return;
  is_listed_ = false;
  const std::lock_guard lock(in_->mutex_);
  in_->unlink(*this);
}

progress::progress(std::shared_ptr<connection> over, std::chrono::nanoseconds ack_wait)
    : over_(std::move(over)),
      // An hour is as good as more, and can be added to any time.
      period_(std::clamp<std::chrono::nanoseconds>(ack_wait / 3, shortest_period, 1h)),
      between_looks_(period_ / 4) {}

void progress::append(entry& added) noexcept {
  added.before_ = last_;
  added.after_ = nullptr;
  (last_ ? last_->after_ : first_) = &added;
  last_ = &added;
}

void progress::unlink(entry& removed) noexcept {
  (removed.before_ ? removed.before_->after_ : first_) = removed.after_;
  (removed.after_ ? removed.after_->before_ : last_) = removed.before_;
}

void progress::look_at(time_point when) {
  over_->run_at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
  looks_ = true;
}

// The lock is held while something is sent, so that a delivery is settled after the last word of
// its progress; and for one at a time, so that others may settle theirs.
void progress::look() noexcept {
  const auto now = std::chrono::steady_clock::now();
  const bool is_away = over_->is_away();
  for (;;) {
    const std::lock_guard lock(mutex_);
    looks_ = false;
    if (first_ == nullptr || over_->has_ended()) return;
    if (is_away) return look_at(now + std::min(while_away, between_looks_));
    if (first_->due_ > now) return look_at(std::max(first_->due_, now + between_looks_));
    entry& told = *first_;
    unlink(told);
    told.due_ = now + period_;
    append(told);
    over_->send(told.ack_topic_, {}, "+WPI");
  }
}

// --- Deliveries. ---------------------------------------------------------------------------------

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

void give_back(connection& over, const char* ack_topic) noexcept {
  over.send(ack_topic, {}, "-NAK");
}

}  // namespace msgbus::nats
