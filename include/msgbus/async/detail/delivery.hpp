#pragma once

/// One message on its way through the handlers of one component, which may suspend.

#include <msgbus/component/parts.hpp>
#include <msgbus/core/failures.hpp>
#include <msgbus/di/inject.hpp>
#include <msgbus/exec/queued_message.hpp>
#include <msgbus/routing/entry.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <exception>
#include <memory>

namespace msgbus::async::detail {

class verb_call;
class core;

struct delivery;

/// What became of a call of a handler.
enum class step_taken { refused, ran, suspends };

/// Calls a handler. Without `start`, one that need not suspend is run, and others are left alone;
/// with it, the awaitable that runs the handler is put there. A failure is thrown or added to the
/// delivery's.
using call_handler = step_taken (*)(routing::entry&, delivery&, asio::awaitable<void>* start);

/// Where a delivery is among the handlers of its component, and what has happened so far. For one
/// coroutine at a time.
///
/// States: fresh -> begun (counted as accepted) -> settled (counted by outcome). One that is
/// destroyed in between has been cut off, and counts as abandoned.
struct delivery {
  delivery(core& in, value_ref what, const msgbus::context& about) noexcept
      : component(&in), known(&about), message(what) {}
  delivery(delivery&& other) noexcept;
  ~delivery();
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  [[nodiscard]] msgbus::step step() const noexcept {
    if (!operation.empty()) [[unlikely]]
      return {operation, {}};
    return {message.type->name, known->topic()};
  }

  /// The invocation of the handler that is called, or about to be awaited.
  [[nodiscard]] di::injection injection_for(const routing::entry& entry) const noexcept;

  /// The awaitable that runs the handler in hand.
  [[nodiscard]] asio::awaitable<void> start();

  /// The message, kept as long as this is: for what may outlive this delivery's coroutine, because
  /// it runs elsewhere (A12). `home` is where it is. That is in the call, or else `share` moves it
  /// from there, once.
  [[nodiscard]] exec::shared_message share_message();

  // In the order in which a new one is quickly made.

  /// It goes no further: its coroutine has been destroyed.
  void cut_off() noexcept;

  core* component;
  const msgbus::context* known;
  value_ref message;
  std::string_view operation = {};  // of a command: its name
  failures failed;
  std::size_t ran = 0;

  // The handler in hand, pinned; `advance` gives one, `handler_ended` takes it back.
  routing::pinned next;
  call_handler call_next = nullptr;
  std::size_t failed_before = 0;  // of those that ran before it

  // Handlers that were attached before `end` get the message, those after `last` are still to come.
  std::uint64_t end = 0;
  std::uint64_t last = 0;

  exec::outcome_listener* listener = nullptr;  // of the message, which outlives this

  exec::shared_message shared;
  std::unique_ptr<const msgbus::context> shared_known;  // its topic has moved with the message
  exec::shared_message (*share)(void* home) = nullptr;
  void* home = nullptr;
  verb_call* part_of = nullptr;

  bool is_last = false;     // the handler in hand: none was there after it when it was started
  bool typed_done = false;  // a consumer's handlers of every type come after the typed ones (T4)
  bool begun = false;
  bool settled = false;
  bool from_mailbox = false;  // counted by the mailbox; nobody catches what it throws (A8)
  bool with_others = false;   // one of several subscribers: a refused type is their sender's to see
  bool refused = false;       // a subscriber of the topic does not take the type (T6)
  bool cancelled = false;     // nothing more is started (A9)
  bool stopped = false;       // and there was something left to start
};

}  // namespace msgbus::async::detail
