#pragma once

/// A transaction around a handler.

#include <msgbus/async/yield.hpp>
#include <msgbus/depends.hpp>
#include <msgbus/durable/database.hpp>

#include <asio/awaitable.hpp>

#include <memory>

namespace msgbus::durable {

/// The transaction of a handler: `depends<msgbus::durable::unit_of_work> t`, then `t->execute(...)`
/// and `t->dispatch(...)`. It is committed when the handler has ended well, and rolled back when it
/// has failed or was cancelled. Give it a database: `consumer.override(unit_of_work,
/// unit_of_work_in(db))`.
inline constexpr required<transaction&> unit_of_work{"msgbus::durable::unit_of_work"};

/// Begins the transactions of `unit_of_work` in a database (R1, R4). A commit that fails is the
/// failure of the handler.
///
/// A handler with `{.once = "billing"}` in its policy has its effect once for each message (R2),
/// be it of a route, of a durable link or a served command: the id is written in this transaction,
/// and a message whose id is there does not reach the handler. A command that is repeated gets the
/// first answer; one that has failed is carried out again. Two runs for one message at the same
/// time are one after the other.
class unit_of_work_in {
 public:
  /// The database must not be null.
  explicit unit_of_work_in(std::shared_ptr<database> in) noexcept : in_(std::move(in)) {}

  /// Called by the library.
  asio::awaitable<void> operator()(async::yield<transaction&> yield) const;

 private:
  std::shared_ptr<database> in_;
};

}  // namespace msgbus::durable
