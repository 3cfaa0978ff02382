#pragma once

/// When a durable consumer is asked for messages, and for how many. Pure: events in, actions out.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace msgbus::nats {

/// States: asking (a request is at the server), at rest, unsure (the server refused, is silent, or
/// was away: JetStream is asked whether the consumer is still there, since a server does not answer
/// requests to one that is not), stopped. For one thread at a time.
class pull_credit {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::size_t largest_request = 1024;
  static constexpr std::chrono::seconds request_expires{5};  // then the server says so
  static constexpr std::chrono::seconds silence{8};          // if it does not, something was lost
  static constexpr std::chrono::milliseconds before_next_try{100};
  static constexpr std::chrono::milliseconds before_next_look{250};
  static constexpr int most_refusals = 50;

  enum class action {
    nothing,
    request,     ///< send a request for `requested()` messages, with `number()`
    look,        ///< ask JetStream whether the consumer is there
    try_later,   ///< call `try_again` after `before_next_try`
    look_later,  ///< call `look_again` after `before_next_look`
    end,         ///< the consumer is gone, or useless: `why()` says which
  };

  /// What JetStream says of the consumer.
  enum class found { there, gone, unknown };

  explicit pull_credit(time_point now) noexcept : heard_(now) {}

  /// So many more may come.
  action add(std::size_t more, time_point now, bool is_away) noexcept;

  /// A message has come. False: it was not asked for, or comes too late, and is given back. Then
  /// `next` is `nothing`.
  [[nodiscard]] bool take(time_point now, bool is_away, action& next) noexcept;

  /// The server has said something of the request with this number.
  action answered(std::string_view number, std::string_view status, std::string_view text,
                  time_point now, bool is_away);

  /// JetStream has answered; `text` is its error, if it is one.
  action looked(found seen, std::string_view text, time_point now, bool is_away);

  action try_again(time_point now, bool is_away) noexcept;
  action look_again(time_point now) noexcept;
  /// To be called again and again, more often than `silence`.
  action watch(time_point now) noexcept;
  action connection_is_back(time_point now) noexcept;

  /// False if it was stopped before. Afterwards no action is given, and no message is taken.
  bool stop() noexcept;

  [[nodiscard]] bool is_stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool is_unsure() const noexcept { return unsure_; }
  [[nodiscard]] std::size_t requested() const noexcept { return requested_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

 private:
  action request(time_point now, bool is_away) noexcept;
  action become_unsure(time_point now) noexcept;

  std::size_t credit_ = 0;
  std::size_t requested_ = 0;  // of the request at the server
  std::uint64_t number_ = 0;
  bool unsure_ = false;
  bool stopped_ = false;
  int refusals_ = 0;  // in a row
  std::string refused_with_;
  std::string why_;
  time_point heard_;
};

}  // namespace msgbus::nats
