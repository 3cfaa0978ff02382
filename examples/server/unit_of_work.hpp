#pragma once

/// What a command that changes something asks for: a transaction on the books that is committed if
/// the command ends well and rolled back if it does not, whatever it awaited in between. What has
/// happened is announced after the commit, so that nobody hears of what was taken back.

#include <msgbus/async.hpp>

#include "books.hpp"

namespace exchange {

/// Where facts go.
struct announcer {
  /// Awaited to the end, so that whoever has an answer finds what it says in the read model.
  msgbus::async::producer awaited;
  /// Awaited until taken: when the audit log is behind, commands become slower. Nothing is lost,
  /// and memory does not grow.
  msgbus::async::producer sent;

  asio::awaitable<void> announce(fact event);
};

inline constexpr msgbus::required<books&> get_books{"books"};
inline constexpr msgbus::required<announcer&> get_announcer{"announcer"};

asio::awaitable<void> unit_of_work(msgbus::async::yield<transaction&> yield,
                                   msgbus::depends<get_books> books,
                                   msgbus::depends<get_announcer> announcer);

}  // namespace exchange
