#pragma once

// The answers to a connection's requests, which come to topics of their own below its inbox.

#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/transport/transport.hpp>

#include "bridge/pending_replies.hpp"
#include "exec/timer_state.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace msgbus::bridging {

/// A request with what wakes its caller: an answer, an end, or its time being over.
struct timed_reply final : pending_reply, exec::one_shot_event, exec::timer_state {
  explicit timed_reply(const asio::any_io_executor& caller) : exec::timer_state(caller) {}
};

/// Thread-safe.
class answers final : public transport::sink {
 public:
  explicit answers(std::string inbox) : inbox_(std::move(inbox)) {}

  [[nodiscard]] std::string pattern() const { return inbox_ + ".*"; }
  [[nodiscard]] std::string topic(pending_replies::key of) const { return topic_of(inbox_, of); }

  /// From now on its answer is waited for.
  [[nodiscard]] pending_replies::key add(const std::shared_ptr<timed_reply>& asked);
  /// When this returns, nobody else touches it.
  void remove(pending_replies::key asked) noexcept;

  bool take(envelope&& message, bool may_wait) noexcept override;
  void interrupted() noexcept override;
  void ended(const std::exception_ptr& why) noexcept override;
  void end_all(const pending_reply::ending& ending) noexcept;
  [[nodiscard]] bool has_ended() const;

  std::unique_ptr<transport::feed> feed;  // set before anybody else knows this

 private:
  const std::string inbox_;
  mutable std::mutex mutex_;
  pending_replies waiting_;
};

}  // namespace msgbus::bridging
