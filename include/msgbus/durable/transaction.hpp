#pragma once

/// One transaction of a durable database.

#include <msgbus/context.hpp>
#include <msgbus/durable/value.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/transport/codec.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::durable {

namespace detail {
class database_core;
class unit;
}  // namespace detail

/// Collects the statements and messages of one transaction (R1, R4). Passed to the function that
/// `database::transaction` runs; do not use it after that has ended. For one coroutine.
class transaction {
 public:
  /// Made by the library.
  transaction(std::shared_ptr<detail::database_core> in,
              std::shared_ptr<detail::unit> collected) noexcept;
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  /// Adds one statement, with a `?` for each argument. It runs when the transaction commits, or
  /// before its next query. If it fails, the transaction fails then, and is rolled back.
  ///
  /// Throws: `bad_arguments` for an integer that is too large.
  template <class... Args>
  void execute(std::string_view sql, Args&&... args) {
    std::vector<value> values;
    values.reserve(sizeof...(Args));
    (values.push_back(detail::as_value(std::forward<Args>(args))), ...);
    add_statement(sql, std::move(values));
  }

  /// Runs a statement now, after the added ones, and returns its rows. From the first query on, all
  /// other transactions wait: this one sees their commits, and nothing else changes until it has
  /// ended. So await nothing slow in between; after `open_options::transaction_timeout` the
  /// transaction is rolled back.
  ///
  /// Completes: when the statement has run.
  /// Throws: `database_failed`; `bad_arguments`; `timed_out` if the transaction took too long;
  /// `closed`. The transaction has then failed.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  template <class... Args>
  [[nodiscard]] asio::awaitable<std::vector<row>> query(std::string_view sql, Args&&... args) {
    std::vector<value> values;
    values.reserve(sizeof...(Args));
    (values.push_back(detail::as_value(std::forward<Args>(args))), ...);
    return run_query(std::string(sql), std::move(values));
  }

  /// Records in this transaction that `consumer` handles the message of this context. So a handler
  /// has its effect once, however often its message is delivered (R2):
  ///
  ///     auto first = t->once(ctx, "billing");
  ///     if (!co_await std::move(first)) co_return;
  ///
  /// Each handler needs a name of its own, which is the same in all versions of the program. Ids
  /// are kept for `open_options::keep_handled`.
  ///
  /// Completes: with true; with false if an earlier transaction has recorded it.
  /// Throws: `bad_arguments` if the message has no id, because it never left this process; and as
  /// `query`.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<bool> once(const context& of, std::string_view consumer);

  /// Adds a message for every route of its type. The message is delivered after the commit (R1), in
  /// the order of commits (R3).
  ///
  /// Throws: `no_handler` if its type has no route; `encode_failed`.
  template <class E>
  void dispatch(E event) {
    add_message(name_of<E>, codec<E>::encode(event), std::nullopt);
  }

  /// As above. The message is delivered at this time, or at the next start if the program does not
  /// run then.
  template <class E>
  void send_at(std::chrono::system_clock::time_point when, E event) {
    add_message(name_of<E>, codec<E>::encode(event), when);
  }

 private:
  void add_statement(std::string_view sql, std::vector<value> values);
  void add_message(std::string_view type, payload made,
                   std::optional<std::chrono::system_clock::time_point> when);
  asio::awaitable<bool> note(std::string id, std::string consumer);
  asio::awaitable<std::vector<row>> run_query(std::string sql, std::vector<value> values);

  const std::shared_ptr<detail::database_core> core_;
  const std::shared_ptr<detail::unit> unit_;
};

}  // namespace msgbus::durable
