#pragma once

/// One call of an awaited verb: docs/design/0017-awaited-verbs.md.

#include <msgbus/async/detail/delivery.hpp>
#include <msgbus/core/cause.hpp>
#include <msgbus/core/context.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>

namespace msgbus::async::detail {

class verb_run;

/// Owns what the handlers of one call refer to, and never moves.
class verb_call {
 public:
  verb_call() = default;
  virtual ~verb_call();
  verb_call(const verb_call&) = delete;
  verb_call& operator=(const verb_call&) = delete;

  /// Has every component deliver it; what must be awaited is left to the run.
  virtual void begin(verb_run& run) = 0;
  /// It has ended well, and no handler ran. `refused` as in `verb_target`.
  virtual void nothing_ran(bool refused) = 0;

  value_ref message{};
  exec::carried* owner = nullptr;  // of the message, if it is not the call itself
  shared_origin cause;             // what came with it, or with what led to it; or null
  msgbus::context known;
  std::shared_ptr<core> keeps;    // the first delivery's component, where nothing else keeps it
  // The first one that has something to await. To be destroyed before all that it refers to.
  std::optional<delivery> first;
};

/// Runs the handlers of the call and completes when every one has ended, with how many ran. Throws
/// what failed, then Asio's `operation_aborted` if anything was stopped.
asio::awaitable<std::size_t> run_call(std::shared_ptr<verb_call> mine);

}  // namespace msgbus::async::detail
