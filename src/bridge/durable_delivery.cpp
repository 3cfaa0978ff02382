// A delivery from its arrival to its settlement.

#include "bridge/durable_link.hpp"
#include "bridge/trace.hpp"
#include "policy/backoff.hpp"

namespace msgbus::bridging {

void durable_link::tracked::settled(outcome result, std::size_t ran,
                                    const failures& failed) noexcept {
  std::unique_lock lock(link_->mutex_);
  if (!delivery_) return;
  if (result == outcome::handled && ran > 0) [[likely]] {
    link_->tries_.forget(delivery_->sequence);
    const std::unique_ptr<transport::delivery> done = std::move(delivery_);
    lock.unlock();
    const auto span = begin_settling(*link_->hub_, "ack", done->message.topic, origin_.get());
    link_->counted(done->ack(), link_->acks_);
    link_->one_less();
    return;
  }
  const settlement decision = decide(result, ran);
  leave(std::move(lock), decision,
        decision.action == settling::dead_letter ? reason_of(failed) : std::string());
}

void durable_link::tracked::give_up(std::string reason) noexcept {
  std::unique_lock lock(link_->mutex_);
  if (delivery_) leave(std::move(lock), {settling::dead_letter, {}}, std::move(reason));
}

std::string durable_link::tracked::why_not() {
  {
    const std::lock_guard lock(link_->mutex_);
    const bool came_before = before_.came_before;
    before_ = seen();
    before_.came_before = came_before;
  }
  if (!before_.reason.empty()) return before_.reason;
  const unsigned limit = link_->options_.crash_limit;
  const unsigned unseen = before_.unseen(delivery_->times);
  if (limit == 0 || unseen < limit) return {};
  return "it was delivered " + std::to_string(unseen) +
         " times without being settled; its handler may end the process";
}

shared_origin durable_link::tracked::take_origin() {
  headers& received = delivery_->message.headers;
  const bool has_id = !header_of(received, header::message_id).empty();
  auto made = origin_of(std::move(received), before_.attempt(delivery_->times),
                        has_id ? std::string() : link_->place_of(*delivery_));
  made->stream = link_->stream_;
  made->sequence = delivery_->sequence;
  origin_ = std::move(made);
  return origin_;
}

settlement durable_link::tracked::decide(outcome result, std::size_t ran) {
  tries& all = link_->tries_;
  unsigned times = 0;
  if (is_failure(result, ran)) {
    times = all.failed(delivery_->sequence, digest());
  } else {
    times = all.handed_back(delivery_->sequence, digest());
  }
  return bridging::settle(result, ran, times, link_->rule_, random_part());
}

void durable_link::tracked::leave(std::unique_lock<std::mutex> lock, const settlement& decision,
                                  std::string reason) noexcept {
  leaving one{std::move(delivery_), {}, {}, decision, std::move(reason), {}};
  if (decision.action == settling::dead_letter) {
    one.before = before_;
    one.id = id_of(*one.delivery);
    one.busy = exec::wait_group::task(link_->hub_->busy);
  }
  lock.unlock();
  if (decision.action == settling::dead_letter && origin_)
    one.delivery->message.headers = origin_->headers;
  const bool is_nak = decision.action == settling::nak;
  const auto span =
      is_nak ? begin_settling(*link_->hub_, "nak", one.delivery->message.topic, origin_.get())
             : nullptr;
  link_->settle(std::move(one));
}

std::string durable_link::tracked::id_of(const transport::delivery& one) const {
  const headers& all = origin_ ? origin_->headers : one.message.headers;
  std::string id(header_of(all, header::message_id));
  return id.empty() ? link_->place_of(one) : id;
}

std::uint64_t durable_link::tracked::digest() const {
  return message_digest(id_of(*delivery_), delivery_->message.payload);
}

message_tries durable_link::tracked::seen() const {
  const std::uint64_t sequence = delivery_->sequence;
  return link_->tries_.knows(sequence) ? link_->tries_.find(sequence, digest()) : message_tries();
}

}  // namespace msgbus::bridging
