#pragma once

/// Records what happens on a bus, and waits for it. Every function may be called from any thread.

#include <msgbus/core/context.hpp>
#include <msgbus/core/type_key.hpp>
#include <msgbus/observe/observer.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include <any>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::testing {

/// What a probe may see: that a handler of its own got a message, or what an observer is told.
enum class seen { received, accepted, delivered, failed, dropped, abandoned, unrouted, rejected };

/// One thing that a probe saw.
struct sighting {
  seen what;
  std::string message;         ///< as in `step`
  std::string topic;           ///< as in `step`
  std::exception_ptr failure;  ///< of what failed
};

namespace detail {

/// What the copies of a probe, its handlers and its observer share.
class probe_log;

void receive(probe_log& log, std::string_view message, std::string_view topic, std::any event);

/// A handler that keeps copies of what it gets.
template <class E>
class recording {
 public:
  explicit recording(std::shared_ptr<probe_log> log) noexcept : log_(std::move(log)) {}
  void operator()(const E& event, const context& about) const {
    receive(*log_, key_of<E>->name, about.topic(), event);
  }

 private:
  std::shared_ptr<probe_log> log_;
};

}  // namespace detail

/// May be given to any number of components as their observer, and be any number of handlers.
/// Copies are the same probe, which lives as long as what it was given to.
///
///     consumer.observe(probe);
///     consumer.handler(probe.handler<user_registered>());
///     ...
///     REQUIRE(probe.wait_for(3));
class probe {
 public:
  using duration = std::chrono::steady_clock::duration;

  /// How long a wait waits, if nothing else is said.
  static constexpr std::chrono::seconds patience{10};

  probe();

  /// For `observe`.
  operator std::shared_ptr<observer>() const;

  /// A handler of events, or of messages, of this type.
  template <class E>
  [[nodiscard]] detail::recording<E> handler() const {
    static_assert(std::copy_constructible<E>,
                  "msgbus: a probe keeps copies, and this type cannot be copied");
    return detail::recording<E>(log_);
  }

  /// The events of this type that its handlers got, in order.
  template <class E>
  [[nodiscard]] std::vector<E> received() const {
    std::vector<E> all;
    for (const std::any& each : events()) {
      if (const E* const event = std::any_cast<E>(&each)) all.push_back(*event);
    }
    return all;
  }

  /// Everything that it saw, in order.
  [[nodiscard]] std::vector<sighting> sightings() const;

  /// The exceptions that it was told of as an observer, in order.
  [[nodiscard]] std::vector<std::exception_ptr> failures() const;

  /// How often it saw this.
  [[nodiscard]] std::size_t count(seen what = seen::received) const;

  /// Blocks until its handlers got `n` messages or more. False if they did not in time.
  [[nodiscard]] bool wait_for(std::size_t n, duration within = patience) const;

  /// Blocks until it saw this `n` times or more. False if it did not in time.
  [[nodiscard]] bool wait_for(seen what, std::size_t n, duration within = patience) const;

  /// Does steps until its handlers got `n` messages or more. False if nothing is left to do before.
  [[nodiscard]] bool wait_for(stepping_context& context, std::size_t n) const;

  /// Does steps until it saw this `n` times or more. False if nothing is left to do before.
  [[nodiscard]] bool wait_for(stepping_context& context, seen what, std::size_t n) const;

  /// Forgets what it saw.
  void clear();

 private:
  [[nodiscard]] std::vector<std::any> events() const;

  std::shared_ptr<detail::probe_log> log_;
};

}  // namespace msgbus::testing
