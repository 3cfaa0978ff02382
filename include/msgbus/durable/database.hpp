#pragma once

/// A file with a program's own rows and its messages.

#include <msgbus/async/consumer.hpp>
#include <msgbus/bridge/bridge.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/bridge/decode.hpp>
#include <msgbus/durable/dead_letter.hpp>
#include <msgbus/durable/inspect.hpp>
#include <msgbus/durable/options.hpp>
#include <msgbus/durable/transaction.hpp>
#include <msgbus/durable/value.hpp>
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

namespace detail {

/// Where messages go: one of the two.
struct route_target {
  std::shared_ptr<async::detail::component_core> consumer = {};
  std::shared_ptr<transport::transport> stream = {};
  friend bool operator==(const route_target&, const route_target&) = default;
};

void add_route(database_core& in, std::string name, const bridging::message_decoder& reads,
               route_target to);
[[nodiscard]] std::shared_ptr<unit> begin(database_core& in);
/// Commits the unit, or rolls it back if `failure` is not null.
[[nodiscard]] asio::awaitable<void> finish(std::shared_ptr<database_core> in,
                                           std::shared_ptr<unit> of, std::exception_ptr failure);

/// Rolls back what was begun, also where a context destroys the coroutine.
struct abandon_at_end {
  const std::shared_ptr<unit>& of;
  ~abandon_at_end();
};

template <class F>
asio::awaitable<void> run_transaction(std::shared_ptr<database_core> in, F work) {
  const std::shared_ptr<unit> collected = begin(*in);
  const abandon_at_end abandoning{collected};
  std::exception_ptr failure;
  {
    durable::transaction handle(in, collected);
    try {
      auto running = work(handle);
      co_await std::move(running);
    } catch (...) {
      failure = std::current_exception();
    }
  }
  auto ending = finish(in, collected, failure);
  co_await std::move(ending);
}

}  // namespace detail

/// What a database has done since it was opened, and what it holds.
struct counters {
  std::uint64_t committed = 0;      ///< transactions
  std::uint64_t failed = 0;         ///< transactions that the file refused
  std::uint64_t commits = 0;        ///< commits of SQLite, each for a group of transactions
  std::uint64_t dispatched = 0;     ///< messages of committed transactions, once for each route
  std::uint64_t delivered = 0;      ///< messages whose handlers have ended without a failure
  std::uint64_t retried = 0;        ///< deliveries that failed, with attempts left
  std::uint64_t dead_lettered = 0;  ///< messages that have become dead letters
  std::uint64_t repeated = 0;       ///< messages that a handler with `once` had had before
  std::size_t in_flight = 0;        ///< messages in memory
};
std::ostream& operator<<(std::ostream& out, const counters& value);

/// An SQLite file that this process owns. Made by `open`. Every member function may be called from
/// any thread. A host takes it (`all.add("shop", *db)`), and drains it in its turn; `metrics` shows
/// its figures, of which those of the file are at most some seconds old.
///
/// The destructor commits what has been given to the file, and does not wait for handlers: their
/// messages are delivered again after the next `open` (R2). Call `drain` first. It blocks for the
/// last commit.
class database {
 public:
  /// Made by `open`.
  explicit database(std::shared_ptr<detail::database_core> made) noexcept;
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database();

  /// Delivers events of this type to the handlers of the consumer, at least once (R1). `name` is
  /// written with each message: keep it the same over all versions of the program. One consumer has
  /// one name, for any number of types. Messages that an earlier process has left under this name
  /// are delivered first (R3).
  ///
  /// A message is done when its handlers have ended without a failure. If one failed, or none was
  /// there, it is delivered again after a pause, behind newer ones; after the last attempt it is a
  /// dead letter. A message that cannot be decoded is one at once.
  ///
  /// Throws: `bad_arguments` if the name is empty or of another consumer, or if another type of the
  /// same name has a route there; `closed`.
  template <class E>
  void route(std::string name, async::consumer& to) {
    detail::add_route(*core_, std::move(name), bridging::decoder_of<E>,
                      {component::core_access::of(to), {}});
  }

  /// Stores events of this type in the stream of this topic, over a bridge, at least once (R1). The
  /// stream recognises the id of a message, and stores it once. Messages are given to the bridge in
  /// the order of commits, many at a time; one that had to be tried again comes behind newer ones.
  /// While the server is away, they wait in the file. A message that the server refuses for what it
  /// is becomes a dead letter.
  ///
  /// Throws: `invalid_topic`; `bad_arguments` if the topic is the name of another route; `closed`.
  template <class E>
  void route(std::string topic, bridge& to) {
    msgbus::detail::check_topic(topic);
    detail::add_route(*core_, std::move(topic), bridging::decoder_of<E>, {{}, to.transport()});
  }

  /// Runs `work(durable::transaction&)`, which returns an `asio::awaitable<void>`, and commits what
  /// it has collected: all of it or nothing (R1, R4). Transactions of several coroutines are
  /// committed together.
  ///
  /// With g++ 12, give a lambda without captures that need destruction, such as `[&]`, or name it
  /// on the line above.
  ///
  /// Completes: when everything is committed, as far as `open_options::synchronous` says.
  /// Throws: what `work` throws, after a roll-back; `database_failed`, with what SQLite says;
  /// `timed_out`; `closed`.
  /// Cancellation: goes to `work`; the transaction is rolled back if that throws. A commit that has
  /// begun is waited for.
  /// Executor: the caller's.
  template <class F>
  [[nodiscard]] asio::awaitable<void> transaction(F work) {
    return detail::run_transaction(core_, std::move(work));
  }

  /// Runs a query on a connection of its own, which sees what was committed before. It can write
  /// nothing.
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

  /// The dead letters, the oldest first; at most so many.
  ///
  /// Completes: with those that were committed before.
  /// Throws: as `query`.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<std::vector<dead_letter>> dead_letters(std::size_t most = 1000);

  /// Delivers a dead letter again, to its destination and to no other, with fresh attempts.
  ///
  /// Completes: when that is committed: true; false if there is no such dead letter.
  /// Throws: `database_failed`; `closed`.
  /// Cancellation: a commit that has begun is waited for.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<bool> replay(std::int64_t id);

  /// Removes a dead letter; otherwise as `replay`.
  [[nodiscard]] asio::awaitable<bool> discard(std::int64_t id);

  /// Ends the deliveries: nothing new is taken from the file, and what is with the consumers is
  /// waited for and marked. Transactions may still commit; their messages wait for the next `open`.
  ///
  /// Completes: when every delivered message is marked: true; false at the deadline.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: ends the wait.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<bool> drain(std::chrono::steady_clock::duration deadline);

  /// What the file holds: how many messages wait for each destination, and since when.
  ///
  /// Completes: with the figures of all that was committed before.
  /// Throws: as `query`.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<file_status> status();

  /// What it has done so far.
  [[nodiscard]] counters stats() const;

 private:
  friend class unit_of_work_in;
  friend struct async::detail::host_access;

  [[nodiscard]] std::shared_ptr<async::detail::host_member> hosted(std::string name) const;

  static asio::awaitable<std::vector<row>> run_query(std::shared_ptr<detail::database_core> in,
                                                     std::string sql, std::vector<value> values);

  const std::shared_ptr<detail::database_core> core_;
};

/// Opens a file, makes the library's tables if they are not there, and takes over what an earlier
/// process has left. Deliveries run on `executor`, and begin with each route. One database owns a
/// file at a time (R4).
///
/// Completes: with the database.
/// Throws: `bad_arguments` for `:memory:` and other files that do not last, and for options that
/// contradict each other; `unsupported` if the file was written by a newer version of the library;
/// `database_failed` if the file cannot be opened, is owned by another, or is no database.
/// Cancellation: throws Asio's `operation_aborted`; the file is closed again.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<std::shared_ptr<database>> open(asio::any_io_executor executor,
                                                              open_options options);

}  // namespace msgbus::durable
