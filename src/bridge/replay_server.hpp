#pragma once

/// Replays dead letters of a durable link, when a person asks for it. docs/design/0029 says why the
/// link does it, and not the requesting process.

#include <msgbus/bridge/options.hpp>
#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/detail/exec/synchronization.hpp>

#include "bridge/stored_letter.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace msgbus::bridging {

/// Takes the requests for one durable name. One replay is, in this order: in `running_`; read from
/// its stream; handled, perhaps several times; removed from the stream, if nothing is lost by that;
/// answered. Thread-safe; owned by shared pointer, by the link, its subscription and the replays.
class replay_server final : public transport::sink,
                            public std::enable_shared_from_this<replay_server> {
 public:
  replay_server(std::shared_ptr<hub> over, std::string link, receiving_end to,
                durable_options options);

  /// The topic of the requests.
  [[nodiscard]] std::string topic() const {
    return replay_topic(options_.stream, options_.durable);
  }

  /// Takes no other request, and ends the pauses between attempts. Attempts that run go on.
  void stop() noexcept;

  /// The replays that have ended with a handled or failed message.
  [[nodiscard]] std::uint64_t replayed() const noexcept {
    return replayed_.load(std::memory_order_relaxed);
  }

  bool take(envelope&& request, bool may_wait) noexcept override;
  void ended(const std::exception_ptr& why) noexcept override;

 private:
  class replay;      // one of them
  struct attempt;    // one run of the handlers
  class told_there;  // the listener on its message

  static asio::awaitable<void> serve(std::shared_ptr<replay> mine, std::string reply_to);
  static asio::awaitable<replay_result> run(std::shared_ptr<replay> mine);
  static asio::awaitable<replay_result> run_letter(std::shared_ptr<replay> mine,
                                                   const stored_dead_letter& letter);
  static asio::awaitable<void> run_handlers(std::shared_ptr<replay> mine, const envelope& message,
                                            const stored_dead_letter& letter,
                                            std::shared_ptr<attempt> into);
  static asio::awaitable<bool> offer(std::shared_ptr<replay> mine, const envelope& message,
                                     const stored_dead_letter& letter,
                                     std::shared_ptr<attempt> into);
  static asio::awaitable<replay_result> remove(std::shared_ptr<replay> mine, replay_end end);
  static asio::awaitable<replay_result> give_up(std::shared_ptr<replay> mine,
                                                const stored_dead_letter& letter,
                                                const envelope& message, const attempt& last);
  void answer(const std::string& reply_to, const replay_result& result);

  const std::shared_ptr<hub> hub_;
  const std::string link_;
  const receiving_end to_;
  const durable_options options_;
  const std::shared_ptr<const std::string> stream_;
  std::atomic<std::uint64_t> replayed_{0};
  std::mutex mutex_;  // of what follows
  bool stopped_ = false;
  // The replays, each with the event that ends its pause; null: no pause.
  std::map<letter_position, std::shared_ptr<exec::one_shot_event>> running_;
};

}  // namespace msgbus::bridging
