#pragma once

/// Records the messages of a bus, and waits for them. Thread-safe.

#include <msgbus/context.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/observer.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include <any>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::testing {

/// The kinds of records: `received` by a handler of the probe; all others by its observer.
enum class seen { received, accepted, delivered, failed, dropped, abandoned, unrouted, rejected };
std::ostream& operator<<(std::ostream& out, seen value);

/// One record of a probe.
struct sighting {
  seen what;                   ///< the kind
  std::string message;         ///< as in `step`
  std::string topic;           ///< as in `step`
  std::exception_ptr failure;  ///< for `seen::failed`
};
std::ostream& operator<<(std::ostream& out, const sighting& value);

namespace detail {

/// The records, which the copies of a probe, its handlers and its observer share.
class probe_log;

void receive(probe_log& log, std::string_view message, std::string_view topic, std::any event);

/// A handler that keeps copies of its messages.
template <class E>
class recording {
 public:
  explicit recording(std::shared_ptr<probe_log> log) noexcept : log_(std::move(log)) {}
  void operator()(const E& event, const context& ctx) const {
    receive(*log_, key_of<E>->name, ctx.topic(), event);
  }

 private:
  std::shared_ptr<probe_log> log_;
};

}  // namespace detail

/// Serves as the observer of any number of components, and as any number of handlers. Copies share
/// their records, which live as long as any copy, handler or observer.
///
///     consumer.observe(probe);
///     consumer.handler(probe.handler<user_registered>());
///     ...
///     REQUIRE(probe.wait_for(3));
class probe {
 public:
  /// A duration of the steady clock.
  using duration = std::chrono::steady_clock::duration;

  /// The default time limit of a wait.
  static constexpr std::chrono::seconds patience{10};

  /// A probe without records.
  probe();

  /// The observer, for `observe`.
  operator std::shared_ptr<observer>() const;

  /// A handler of events, or of messages, of this type.
  template <class E>
  [[nodiscard]] detail::recording<E> handler() const {
    static_assert(std::copy_constructible<E>,
                  "msgbus: a probe keeps copies, and this type cannot be copied");
    return detail::recording<E>(log_);
  }

  /// The events of this type that its handlers received, in order.
  template <class E>
  [[nodiscard]] std::vector<E> received() const {
    std::vector<E> all;
    for (const std::any& each : events()) {
      if (const E* const event = std::any_cast<E>(&each)) all.push_back(*event);
    }
    return all;
  }

  /// All records, in order.
  [[nodiscard]] std::vector<sighting> sightings() const;

  /// The exceptions that its observer received, in order.
  [[nodiscard]] std::vector<std::exception_ptr> failures() const;

  /// The number of records of this kind.
  [[nodiscard]] std::size_t count(seen kind = seen::received) const;

  /// Blocks until its handlers have received `n` messages or more. False on timeout.
  [[nodiscard]] bool wait_for(std::size_t n, duration within = patience) const;

  /// Blocks until there are `n` records of this kind or more. False on timeout.
  [[nodiscard]] bool wait_for(seen kind, std::size_t n, duration within = patience) const;

  /// Runs steps until its handlers have received `n` messages or more. False if no step is left.
  [[nodiscard]] bool wait_for(stepping_context& context, std::size_t n) const;

  /// Runs steps until there are `n` records of this kind or more. False if no step is left.
  [[nodiscard]] bool wait_for(stepping_context& context, seen kind, std::size_t n) const;

  /// Removes all records.
  void clear();

 private:
  [[nodiscard]] std::vector<std::any> events() const;

  std::shared_ptr<detail::probe_log> log_;
};

}  // namespace msgbus::testing
