#pragma once

/// What the tests of mailboxes share.

#include <msgbus/detail/exec/mailbox.hpp>

#include <msgbus/error.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/mailboxes.hpp"
#include "support/thrown.hpp"

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace mailbox_test {

using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::exec::put;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::box;
using msgbus_test::code_of;
using msgbus_test::numbered;
using numbers = std::vector<int>;

inline asio::awaitable<void> turn() { co_await asio::post(asio::use_awaitable); }

// What coroutines wait at until it is opened.
class gate {
 public:
  asio::awaitable<void> pass() {
    while (!open_) {
      auto mine = std::make_shared<msgbus::exec::one_shot_event>();
      waiting_.push_back(mine);
      co_await mine->wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) throw std::runtime_error("cancelled");
    }
  }
  void open() {
    open_ = true;
    let_one_look();
  }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  void let_one_look() {
    for (const auto& each : std::exchange(waiting_, {})) each->set();
  }
  bool open_ = false;
  std::vector<std::shared_ptr<msgbus::exec::one_shot_event>> waiting_;
};

// A mailbox that is full: message 1 is in hand until `closed` is opened, and message 2 waits.
struct full_mailbox {
  explicit full_mailbox(stepping_context& context)
      : to(box::make(context.get_executor(), {.capacity = 1})) {
    to->on_rest = [this](numbered) { return closed.pass(); };
    REQUIRE(to->post(1) == put::taken);
    context.run();
    REQUIRE(to->post(2) == put::taken);
  }
  full_mailbox(const full_mailbox&) = delete;
  full_mailbox& operator=(const full_mailbox&) = delete;
  ~full_mailbox() = default;

  const std::shared_ptr<box> to;
  gate closed;
};

inline numbers one_to(int last) {
  numbers all;
  for (int i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

inline bool ended_with(const spawned<put>& sent, put result) {
  spawned<put> copy = sent;
  return copy.done() && !copy.failure() && copy.get() == result;
}

}  // namespace mailbox_test
