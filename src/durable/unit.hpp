#pragma once

// The statements and messages of one transaction. docs/design/0028.
//
// It belongs to the user's coroutine until that submits it, then to the writer thread. Once `done`
// is set, the coroutine may read `ended`, and nothing else: the writer passes the messages on.

#include <msgbus/detail/exec/one_shot_event.hpp>

#include "durable/writer.hpp"

#include <string>
#include <vector>

namespace msgbus::durable::detail {

class database_core;
class session;

/// An end that a coroutine waits for.
class completion {
 public:
  exec::one_shot_event done;
  std::exception_ptr failure;  // set before `done`

  void end(std::exception_ptr why) noexcept {
    failure = std::move(why);
    done.set();
  }
};

class unit final : public job {
 public:
  explicit unit(database_core& in) noexcept : core_(in) {}

  std::vector<statement> statements;
  std::vector<message_row> messages;
  std::shared_ptr<session> interactive;  // after the first query
  completion ended;

  [[nodiscard]] bool is_empty() const noexcept { return statements.empty() && messages.empty(); }
  [[nodiscard]] bool is_transaction() const noexcept override { return true; }
  void run(outbox& in) override;
  void committed(exec::event_batch& waiting) noexcept override;
  void failed(const std::exception_ptr& why) noexcept override;

 private:
  database_core& core_;  // it ends the writer before itself
};

}  // namespace msgbus::durable::detail
