#pragma once

/// A database file with a program's own rows and its messages.

#include <msgbus/async/consumer.hpp>
#include <msgbus/bridge/bridge.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/bridge/decode.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/exec/requirements.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/durable/dead_letter.hpp>
#include <msgbus/durable/inspect.hpp>
#include <msgbus/durable/options.hpp>
#include <msgbus/durable/transaction.hpp>
#include <msgbus/durable/value.hpp>
#include <msgbus/explanation.hpp>
#include <msgbus/topic.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::durable {

class database;

namespace detail {

/// The target of a route: one of the two.
struct route_target {
  std::shared_ptr<async::detail::component_core> consumer = {};
  std::shared_ptr<transport::transport> stream = {};
  // For descriptions: the bridge of the stream, if it exists.
  msgbus::detail::describer describe_bridge = {};
  std::weak_ptr<const void> bridge = {};

  friend bool operator==(const route_target& one, const route_target& other) noexcept {
    return one.consumer == other.consumer && one.stream == other.stream;
  }
};

void add_route(database_core& in, std::string name, const bridging::message_decoder& reads,
               route_target to);
[[nodiscard]] std::shared_ptr<unit> begin(database_core& in);
/// Whether there is nothing to commit.
[[nodiscard]] bool is_empty(const unit& of) noexcept;
/// Commits the unit.
[[nodiscard]] asio::awaitable<void> finish(database_core& in, std::shared_ptr<unit> of);

[[nodiscard]] explanation explain_event(const database& from, msgbus::detail::type_key type,
                                        std::string_view name);

/// Rolls back an unfinished transaction, also if a context destroys the coroutine.
struct abandon_at_end {
  const std::shared_ptr<unit>& of;
  ~abandon_at_end();
};

template <class F>
asio::awaitable<void> run_transaction(std::shared_ptr<database_core> in, F work) {
  const std::shared_ptr<unit> collected = begin(*in);
  const abandon_at_end abandoning{collected};
  {
    durable::transaction handle(in, collected);
    auto running = work(handle);
    co_await std::move(running);
  }
  if (is_empty(*collected)) co_return;
  auto ending = finish(*in, collected);
  co_await std::move(ending);
}

}  // namespace detail

/// The work of a database since it was opened, and its current load.
struct counters {
  std::uint64_t committed = 0;      ///< transactions
  std::uint64_t failed = 0;         ///< transactions that the file refused
  std::uint64_t commits = 0;        ///< commits of SQLite, each for a group of transactions
  std::uint64_t dispatched = 0;     ///< messages of committed transactions, once for each route
  std::uint64_t delivered = 0;      ///< messages whose handlers have ended without a failure
  std::uint64_t retried = 0;        ///< deliveries that failed, with attempts left
  std::uint64_t dead_lettered = 0;  ///< messages that have become dead letters
  std::uint64_t repeated = 0;       ///< messages that a handler with `once` had handled before
  std::size_t in_flight = 0;        ///< messages in memory
};
std::ostream& operator<<(std::ostream& out, const counters& value);

/// An SQLite file that this process owns. Made by `open`. Every member function may be called from
/// any thread. It may be a member of a host (`all.add("shop", *db)`), which drains it in its turn.
/// `metrics` shows its figures; those of the file are at most some seconds old.
///
/// The destructor blocks for the last commit, and does not wait for handlers: their messages are
/// delivered again after the next `open` (R2). Call `drain` first.
class database {
 public:
  /// Made by `open`.
  explicit database(std::shared_ptr<detail::database_core> made) noexcept;
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database();

  /// Delivers events of this type to the handlers of the consumer, at least once (R1). `name` is
  /// written with each message: keep it the same in all versions of the program. One consumer has
  /// one name, for any number of types. Messages that an earlier process has left under this name
  /// are delivered first (R3).
  ///
  /// A message is done when its handlers have ended without a failure. If a handler failed, or no
  /// handler exists, the message is delivered again after a pause, behind newer ones; after the
  /// last attempt it becomes a dead letter. A message that cannot be decoded becomes one
  /// immediately.
  ///
  /// Throws: `bad_arguments` if the name is empty or of another consumer, or if another type of the
  /// same name has a route there; `closed`.
  template <class E>
  void route(std::string name, async::consumer& to) {
    detail::add_route(*core_, std::move(name), bridging::decoder_of<E>,
                      {.consumer = component::core_access::of(to)});
  }

  /// Stores events of this type in the stream of this topic, over a bridge, at least once (R1). The
  /// stream recognises the id of a message, and stores it once. The bridge gets messages in the
  /// order of commits, many at a time; a repeated one comes behind newer ones. While the server is
  /// away, messages wait in the file. A message that the server refuses for its content or size
  /// becomes a dead letter.
  ///
  /// Throws: `invalid_topic`; `bad_arguments` if the topic is the name of another route; `closed`.
  template <class E>
  void route(std::string topic, bridge& to) {
    msgbus::detail::check_topic(topic);
    detail::add_route(*core_, std::move(topic), bridging::decoder_of<E>,
                      {.stream = to.transport(),
                       .describe_bridge = msgbus::detail::describe_access::of(to),
                       .bridge = msgbus::detail::describe_access::identity(to)});
  }

  /// Runs `work(durable::transaction&)`, which returns an `asio::awaitable<void>`, and commits the
  /// statements and messages that it has collected: all or nothing (R1, R4). Transactions of
  /// several coroutines are committed together.
  ///
  /// With g++ 12, pass a lambda whose captures need no destructor, such as `[&]`, or name the
  /// lambda on the line before.
  ///
  /// Completes: when everything is committed, as far as `open_options::synchronous` says.
  /// Throws: the exceptions of `work`, after a roll-back; `database_failed`, with the text of
  /// SQLite; `timed_out`; `closed`.
  /// Cancellation: cancels `work`; if that throws, the transaction is rolled back. A commit that
  /// has begun is waited for.
  /// Executor: the caller's.
  template <class F>
  [[nodiscard]] asio::awaitable<void> transaction(F work) {
    return detail::run_transaction(core_, std::move(work));
  }

  /// Runs a query on a separate read-only connection, which sees all earlier commits.
  ///
  /// Completes: with the rows.
  /// Throws: `database_failed`; `bad_arguments`; `closed`.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  template <class... Args>
  [[nodiscard]] asio::awaitable<std::vector<row>> query(std::string_view sql, Args&&... args) {
    std::vector<value> values;
    values.reserve(sizeof...(Args));
    (values.push_back(detail::as_value(std::forward<Args>(args))), ...);
    return run_query(core_, std::string(sql), std::move(values));
  }

  /// Reads the oldest dead letters, at most `most`.
  ///
  /// Completes: with the dead letters of all earlier commits.
  /// Throws: as `query`.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<std::vector<dead_letter>> dead_letters(std::size_t most = 1000);

  /// Delivers a dead letter again, only to its destination, with fresh attempts.
  ///
  /// Completes: when that is committed, with true; with false if there is no such dead letter.
  /// Throws: `database_failed`; `closed`.
  /// Cancellation: a commit that has begun is waited for.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<bool> replay(std::int64_t id);

  /// Removes a dead letter; otherwise as `replay`.
  [[nodiscard]] asio::awaitable<bool> discard(std::int64_t id);

  /// Ends the deliveries: no new message is taken from the file, and the consumers finish those
  /// that they have. Transactions may still commit; their messages wait for the next `open`.
  ///
  /// Completes: when the outcome of every delivered message is in the file, with true; at the
  /// deadline, with false.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: ends the wait.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<bool> drain(std::chrono::steady_clock::duration deadline);

  /// Reads the number and the age of the messages that wait for each destination.
  ///
  /// Completes: with the figures of all earlier commits.
  /// Throws: as `query`.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<file_status> status();

  /// The work so far.
  [[nodiscard]] counters stats() const;

 private:
  friend class unit_of_work_in;
  friend explanation detail::explain_event(const database& from, msgbus::detail::type_key type,
                                           std::string_view name);
  friend struct async::detail::host_access;
  friend struct msgbus::detail::describe_access;

  [[nodiscard]] std::shared_ptr<async::detail::host_member> hosted(std::string name) const;
  [[nodiscard]] msgbus::detail::describer describer() const;

  static asio::awaitable<std::vector<row>> run_query(std::shared_ptr<detail::database_core> in,
                                                     std::string sql, std::vector<value> values);

  const std::shared_ptr<detail::database_core> core_;
};

/// Opens a file, creates the library's tables if they are missing, and takes over the messages of
/// an earlier process. Deliveries run on `executor`; those of a route begin when it is added. One
/// database owns a file at a time (R4).
///
/// Completes: with the database.
/// Throws: `bad_arguments` for `:memory:` and other temporary files, and for options that
/// contradict each other; `unsupported` if a newer version of the library has written the file;
/// `database_failed` if the file cannot be opened, has another owner, or is no database.
/// Cancellation: throws Asio's `operation_aborted`; the file is closed again.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<std::shared_ptr<database>> open(asio::any_io_executor executor,
                                                              open_options options);

/// The same with the executor of a context, such as an `asio::io_context`.
template <exec::execution_context Context>
[[nodiscard]] asio::awaitable<std::shared_ptr<database>> open(Context& context,
                                                              open_options options) {
  return open(asio::any_io_executor(context.get_executor()), std::move(options));
}

}  // namespace msgbus::durable

namespace msgbus {

/// Where an event goes that a transaction dispatches: by which routes, and what their consumers do
/// with it. Sends nothing.
template <class E>
[[nodiscard]] explanation explanation_of(const durable::database& from) {
  return durable::detail::explain_event(from, component::type_to_explain<E>(), name_of<E>);
}
/// The text of `explanation_of`, for people.
template <class E>
[[nodiscard]] std::string explain(const durable::database& from) {
  return explanation_of<E>(from).text();
}

}  // namespace msgbus
