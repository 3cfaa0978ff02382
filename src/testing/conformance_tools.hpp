#pragma once

// Tools for the conformance cases.

#include <msgbus/detail/exec/wait_list.hpp>
#include <msgbus/error.hpp>
#include <msgbus/testing/conformance.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::testing::conformance {

using cases = std::vector<conformance_case>;
using connection = std::shared_ptr<transport::transport>;
using duration = transport::duration;

void add_topic_cases(cases& to);
void add_header_cases(cases& to);
void add_request_cases(cases& to);
void add_stream_cases(cases& to);
void add_stored_cases(cases& to);
void add_durable_cases(cases& to);
void add_redelivery_cases(cases& to);
void add_lifetime_cases(cases& to);
void add_limit_cases(cases& to);

inline constexpr transport::features anything{};
inline constexpr transport::features durable{.durable = true};
inline constexpr transport::features away{.away = true};
inline constexpr transport::features durable_and_away{.durable = true, .away = true};

/// Throws `conformance_failure` with the sentence unless `holds`.
void expect(bool holds, std::string_view sentence);
[[noreturn]] void fail(const std::string& sentence);

/// The exception of the operation, which must be an `error`.
template <class T>
asio::awaitable<error> error_of(asio::awaitable<T> operation, std::string called) {
  try {
    (void)co_await std::move(operation);
  } catch (const error& e) {
    co_return e;
  }
  fail(called + " should have thrown");
}

template <class Call>
error thrown_by(Call call, std::string_view called) {
  try {
    call();
  } catch (const error& e) {
    return e;
  }
  fail(std::string(called) + " should have thrown");
}

/// An object that other threads change, while a coroutine waits for a condition.
class changing {
 public:
  /// Completes when the condition holds; fails if it does not within the time. For one coroutine.
  asio::awaitable<void> until(std::function<bool()> holds, duration within, std::string text);

 protected:
  ~changing() = default;
  void changed() noexcept;

 private:
  std::mutex mutex_;
  exec::wait_list waiting_{mutex_};
};

/// Keeps the messages of a subscription.
class recorder final : public transport::sink, public changing {
 public:
  bool take(envelope&& message, bool may_wait) noexcept override;
  void caught_up() noexcept override;
  void interrupted() noexcept override;

  void refuse(bool all) noexcept { refuses_ = all; }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t refused() const noexcept { return refused_; }
  [[nodiscard]] envelope at(std::size_t index) const;
  [[nodiscard]] std::vector<std::string> payloads() const;
  /// Whether two calls ever ran at the same time.
  [[nodiscard]] bool overlapped() const noexcept { return overlapped_; }

  /// Whether `caught_up` was called after the last call of `take`.
  [[nodiscard]] bool has_caught_up() const noexcept { return !behind_; }
  /// The number of notifications that the connection was lost.
  [[nodiscard]] std::size_t losses() const noexcept { return losses_; }

  /// Completes when `many` messages have come.
  asio::awaitable<void> until_size(std::size_t many, duration within);
  /// Completes when the connection was lost `times` times.
  asio::awaitable<void> until_lost(std::size_t times, duration within);

 private:
  mutable std::mutex mutex_;
  std::vector<envelope> all_;
  std::atomic<bool> refuses_{false};
  std::atomic<std::size_t> refused_{0};
  std::atomic<bool> inside_{false};
  std::atomic<bool> overlapped_{false};
  std::atomic<bool> behind_{false};
  std::atomic<std::size_t> losses_{0};
};

/// Keeps the deliveries of a source until they are taken out.
class collector final : public transport::delivery_sink, public changing {
 public:
  void take(std::unique_ptr<transport::delivery> received) noexcept override;
  void ended(std::exception_ptr why) noexcept override;

  /// The number of deliveries so far, taken out or not.
  [[nodiscard]] std::size_t came() const;
  [[nodiscard]] std::exception_ptr why_ended() const;

  /// The next delivery, in the order of arrival.
  asio::awaitable<std::unique_ptr<transport::delivery>> next(duration within);
  asio::awaitable<void> until_ended(duration within);

 private:
  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<transport::delivery>> waiting_;
  std::size_t came_ = 0;
  std::exception_ptr why_;
};

/// An envelope for a case.
[[nodiscard]] envelope made(const std::string& topic, std::string payload = {});

/// The same, with an id made of topic and payload.
[[nodiscard]] envelope with_id(const std::string& topic, std::string payload);

/// A subscription that is active on completion.
asio::awaitable<std::unique_ptr<transport::feed>> listen(const connection& at, std::string pattern,
                                                         std::string group,
                                                         std::shared_ptr<recorder> to,
                                                         duration within);

/// Makes the stream of the case, for all its topics.
asio::awaitable<void> make_stream(transport_environment& in, const connection& at);

/// Stores a message in the stream of the case.
asio::awaitable<transport::stored> store(transport_environment& in, const connection& at,
                                         std::string name, std::string payload);

/// Options for a source of the case's stream.
[[nodiscard]] transport::pull_options from_stream(const transport_environment& in,
                                                  std::string durable_name = "workers");

}  // namespace msgbus::testing::conformance
