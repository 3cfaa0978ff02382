#pragma once

/// Makes chosen calls of a handler or a dependency fail. Thread-safe; a wrapped callable is
/// thread-safe if the original is.

#include <msgbus/detail/core/signature.hpp>

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

/// The default exception of a fault.
class injected_fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Counts the calls of all callables that are wrapped with the same faults.
class fault_plan;

/// The exceptions of one call; null for none.
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
asio::awaitable<T, Executor> fail_after(asio::awaitable<T, Executor> operation,
                                        std::exception_ptr thrown) {
  (void)co_await std::move(operation);
  std::rethrow_exception(std::move(thrown));
}

/// Makes a call with the result `R` fail.
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

/// A callable with the signature of the wrapped one.
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

/// A choice of calls that fail. Calls are counted from 1, over all callables that are wrapped with
/// the same faults. Copies share the count.
///
///     auto faults = msgbus::testing::faults::nth(2).after();
///     consumer.handler(faults.wrap(handle));
///     consumer.override(get_database, faults.wrap(make_database));
class faults {
 public:
  /// Chooses the calls for whose number `fails` returns true. It is called once per call, in order.
  explicit faults(std::function<bool(std::size_t call)> fails);

  /// Chooses call number `n`.
  [[nodiscard]] static faults nth(std::size_t n);
  /// Chooses every `n`th call.
  [[nodiscard]] static faults every(std::size_t n);
  /// Chooses calls at random, with a probability from 0 to 1.
  [[nodiscard]] static faults sometimes(double probability, std::uint64_t seed);
  /// Chooses every call.
  [[nodiscard]] static faults always();
  /// Chooses no call.
  [[nodiscard]] static faults never();

  /// The fault replaces the call, which is the default. A coroutine throws when it is awaited,
  /// before its first suspension.
  faults before();

  /// The fault follows the call. If the call itself throws, that exception is thrown.
  faults after();

  /// The exception of the faults.
  template <class Exception>
  faults throwing(Exception exception) {
    return throwing(std::make_exception_ptr(std::move(exception)));
  }

  /// As above.
  faults throwing(std::exception_ptr exception);

  /// Returns the callable with faults: a handler or the implementation of a dependency, plain or a
  /// coroutine. The signature is the same. By-value parameters must be movable.
  template <class F>
  [[nodiscard]] auto wrap(F f) const {
    using found = detail::signature_of<F>;
    static_assert(!std::is_same_v<found, detail::no_signature>,
                  "msgbus: the message type of a generic or overloaded handler cannot be deduced; "
                  "name it in angle brackets: wrap<event>(handler)");
    return detail::faulty<F, found>(plan_, std::move(f));
  }

  /// As above, for a handler with a generic first parameter: a handler of `E`.
  template <class E, class F>
  [[nodiscard]] auto wrap(F f) const {
    return detail::faulty<F, detail::signature_for<F, E>>(plan_, std::move(f));
  }

  /// As above, for a member function together with its object, or with a pointer to it. The object
  /// must outlive the result.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  [[nodiscard]] auto wrap(Member member, Object&& object) const {
    return wrap(detail::bind_member(member, std::forward<Object>(object)));
  }

  /// The number of calls so far.
  [[nodiscard]] std::size_t calls() const;

  /// The number of calls that were chosen to fail.
  [[nodiscard]] std::size_t thrown() const;

 private:
  std::shared_ptr<detail::fault_plan> plan_;
};

}  // namespace msgbus::testing
