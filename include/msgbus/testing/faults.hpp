#pragma once

/// Makes chosen calls of a handler or a dependency fail. Every function may be called from any
/// thread, and so may what is wrapped, if what is inside may.

#include <msgbus/core/signature.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace msgbus::testing {

/// What a fault throws, if nothing else is said.
class injected_fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Counts the calls of everything that is wrapped with the same faults.
class fault_plan;

/// What is thrown by a call; null for nothing.
struct fault {
  std::exception_ptr before;
  std::exception_ptr after;
};
[[nodiscard]] fault next_fault(fault_plan& plan);

template <class T, class Executor>
asio::awaitable<T, Executor> fail_instead(std::exception_ptr thrown) {
  std::rethrow_exception(std::move(thrown));
  co_await asio::this_coro::executor;  // not reached: it makes this a coroutine
}

template <class T, class Executor>
asio::awaitable<T, Executor> fail_after(asio::awaitable<T, Executor> what,
                                        std::exception_ptr thrown) {
  (void)co_await std::move(what);
  std::rethrow_exception(std::move(thrown));
}

/// How a result that is `R` fails.
template <class R>
struct failing {
  template <class Call>
  static R instead(Call&, std::exception_ptr thrown) {
    std::rethrow_exception(std::move(thrown));
  }
  template <class Call>
  static R after(Call& call, std::exception_ptr thrown) {
    (void)call();
    std::rethrow_exception(std::move(thrown));
  }
};

template <class T, class Executor>
struct failing<asio::awaitable<T, Executor>> {
  template <class Call>
  static asio::awaitable<T, Executor> instead(Call&, std::exception_ptr thrown) {
    return fail_instead<T, Executor>(std::move(thrown));
  }
  template <class Call>
  static asio::awaitable<T, Executor> after(Call& call, std::exception_ptr thrown) {
    return fail_after<T, Executor>(call(), std::move(thrown));
  }
};

/// A callable with the signature of the one inside.
template <class F, class Signature>
class faulty;

template <class F, class R, class... Ps>
class faulty<F, signature<R, Ps...>> {
 public:
  faulty(std::shared_ptr<fault_plan> plan, F f) : plan_(std::move(plan)), f_(std::move(f)) {}

  R operator()(Ps... parameters) const {
    static_assert(((std::is_reference_v<Ps> || std::is_move_constructible_v<Ps>) && ...),
                  "msgbus: faults cannot be wrapped around a callable with a by-value parameter "
                  "that cannot be passed on; wrap what it calls");
    auto call = [&]() -> R { return std::invoke(f_, std::forward<Ps>(parameters)...); };
    fault thrown = next_fault(*plan_);
    if (thrown.before) return failing<R>::instead(call, std::move(thrown.before));
    if (thrown.after) return failing<R>::after(call, std::move(thrown.after));
    return call();
  }

 private:
  std::shared_ptr<fault_plan> plan_;
  mutable F f_;  // a handler may change itself
};

}  // namespace detail

/// Which calls fail, and how. Calls are counted from 1, over everything that is wrapped with the
/// same faults; copies are the same faults.
///
///     auto faults = msgbus::testing::faults::nth(2).after();
///     consumer.handler(faults.wrap(handle));
///     consumer.override(get_database, faults.wrap(make_database));
class faults {
 public:
  /// Those calls for whose number `fails` returns true. It is asked once per call, in order.
  explicit faults(std::function<bool(std::size_t call)> fails);

  [[nodiscard]] static faults nth(std::size_t n);
  [[nodiscard]] static faults every(std::size_t n);
  [[nodiscard]] static faults sometimes(double probability, std::uint64_t seed);
  [[nodiscard]] static faults always();
  [[nodiscard]] static faults never();

  /// They are thrown instead of calling what is wrapped: so it is if nothing is said. A coroutine
  /// throws when it is awaited, before its first suspension.
  faults before();

  /// They are thrown when what is wrapped has ended; if it ended by an exception, that is thrown.
  faults after();

  /// They are this exception.
  template <class Exception>
  faults throwing(Exception exception) {
    return throwing(std::make_exception_ptr(std::move(exception)));
  }
  faults throwing(std::exception_ptr exception);

  /// The same callable with faults: a handler or a dependency's implementation, plain or a
  /// coroutine. It takes and returns the same, so that the bus sees no difference. Its by-value
  /// parameters can be moved.
  template <class F>
  [[nodiscard]] auto wrap(F f) const {
    using found = detail::signature_of<F>;
    static_assert(!std::is_same_v<found, detail::no_signature>,
                  "msgbus: the message type of a generic or overloaded handler cannot be deduced; "
                  "name it in angle brackets: wrap<event>(handler)");
    return detail::faulty<F, found>(plan_, std::move(f));
  }

  /// The same for a handler that is generic in its first parameter: as a handler of `E`.
  template <class E, class F>
  [[nodiscard]] auto wrap(F f) const {
    return detail::faulty<F, detail::signature_for<F, E>>(plan_, std::move(f));
  }

  /// The same for a member function of an object, which must outlive it, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  [[nodiscard]] auto wrap(Member member, Object&& object) const {
    return wrap(detail::bind_member(member, std::forward<Object>(object)));
  }

  /// How many calls there were.
  [[nodiscard]] std::size_t calls() const;

  /// How many of them were chosen to fail.
  [[nodiscard]] std::size_t thrown() const;

 private:
  std::shared_ptr<detail::fault_plan> plan_;
};

}  // namespace msgbus::testing
