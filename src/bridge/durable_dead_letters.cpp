// Dead letters of a durable link.

#include "bridge/durable_link.hpp"

namespace msgbus::bridging {

/// One process of those with this durable name gets each request.
void durable_link::serve_replays() {
  replays_ = std::make_shared<replay_server>(hub_, name(), to_, options_);
  replay_requests_ = hub_->wire->subscribe(replays_->topic(), "msgbus", replays_);
}

/// It is never delivered again, and that is told.
void durable_link::end_without_dead_letter(const leaving& one,
                                           const std::string& why_not_stored) noexcept {
  forget(*one.delivery);
  if (!counted(one.delivery->term(), dead_lettered_)) return;
  report(*one.delivery, "was given up after " + std::to_string(one.delivery->times) +
                            " deliveries: " + one.reason + why_not_stored);
}

/// It comes again, and goes to the dead letters then without being handled.
void durable_link::keep_for_later(const leaving& one) noexcept {
  const transport::delivery& received = *one.delivery;
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t digest = message_digest(one.id, received.message.payload);
    if (one.before.reason.empty())
      tries_.set_reason(received.sequence, digest, in_one_line(one.reason));
    // One that has failed just now was counted as that.
    if (!one.before.reason.empty()) tries_.handed_back(received.sequence, digest);
  }
  counted(one.delivery->nak(hand_back_pause(options_.max_backoff)), naks_);
}

/// Stores it with the dead letters, and only then has it never delivered again.
asio::awaitable<void> durable_link::move_to_dead_letters(std::shared_ptr<durable_link> self,
                                                         leaving one) {
  const transport::delivery& received = *one.delivery;
  const given_up details{self->options_.stream, self->options_.durable,
                         received.sequence,     one.id,
                         one.attempts(),        one.reason};
  auto storing = store_dead_letter(self->hub_->wire, self->options_.dead_letter, received.message,
                                   details, self->options_.ack_wait / 2);
  const dead_letter_result result = co_await std::move(storing);
  if (result.where) {
    self->report_dead_letter(one, result);
    self->forget(received);
    self->counted(one.delivery->term(), self->dead_lettered_);
  } else if (result.never) {
    self->end_without_dead_letter(
        one, "; its dead letter cannot be stored: " + describe(result.failure));
  } else {
    self->hub_->failed(self->name(), result.failure);
    self->keep_for_later(one);
  }
  self->one_less();
}

/// A report about a dead letter that was stored, if it needs one.
void durable_link::report_dead_letter(const leaving& one,
                                      const dead_letter_result& result) noexcept {
  const std::string position =
      "stream '" + result.where->stream + "', sequence " + std::to_string(result.where->sequence);
  if (result.refusal) {
    add(shortened_);
    report(*one.delivery,
           "has only a shortened dead letter (" + position +
               "); the transport refused the whole one: " + describe(result.refusal));
  }
  // An earlier try of ours may have stored it without our knowing. Otherwise it is another
  // process's of the same message, or of one that was the same when the stream was made anew.
  if (result.where->duplicate && one.before.reason.empty()) {
    report(*one.delivery, "already has a dead letter (" + position + "); the new one, '" +
                              one.reason + "', was not stored");
  }
}

}  // namespace msgbus::bridging
