#pragma once

/// A transaction around a handler.

#include <msgbus/async/yield.hpp>
#include <msgbus/depends.hpp>
#include <msgbus/durable/database.hpp>

#include <asio/awaitable.hpp>

#include <memory>

namespace msgbus::durable {

/// The transaction of a handler: `depends<msgbus::durable::unit_of_work> t`, then `t->execute(...)`
/// and `t->dispatch(...)`. It is committed when the handler has succeeded, and rolled back when it
/// has failed or was cancelled. Give it a database: `consumer.override(unit_of_work,
/// unit_of_work_in(db))`.
inline constexpr required<transaction&> unit_of_work{"msgbus::durable::unit_of_work"};

/// Begins the transactions of `unit_of_work` in a database (R1, R4). If the commit fails, the
/// handler has failed.
///
/// A handler with `{.once = "billing"}` in its policy has its effect once per message (R2), for
/// messages of a route or a durable link, and for served commands. This transaction also writes the
/// id, and a later message with this id does not reach the handler. A repeated command gets the
/// first reply; a failed one is executed again. Two simultaneous runs for one message are
/// serialised.
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
