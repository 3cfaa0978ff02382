#pragma once

// A consumer that keeps the order of accounts.

#include "policy/running.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace msgbus_test {

struct account_order {
  int account;
  int number;
};

/// Handles orders as long as their account says, and keeps a record.
struct account_shop : running {
  explicit account_shop(msgbus::async::mailbox_options options, msgbus::policy how = {})
      : running(options) {
    events.ordered_by<account_order>([](const account_order& o) { return o.account; });
    events.handler(
        [this](const account_order& o) -> asio::awaitable<void> {
          const int now = ++running_now;
          most_running = std::max(most_running, now);
          const int of_account = ++running_of[o.account];
          most_of_account = std::max(most_of_account, of_account);
          struct leave {
            ~leave() {
              --of.running_now;
              --of.running_of[account];
            }
            account_shop& of;
            int account;
          };
          const leave at_end{*this, o.account};
          begun[o.account].push_back(o.number);
          if (takes.contains(o.account)) co_await msgbus::exec::sleep(takes[o.account]);
          if (fails[{o.account, o.number}]-- > 0) throw std::runtime_error("down");
          done[o.account].push_back(o.number);
        },
        std::move(how));
  }
  void post(int account, int first, int last) {
    for (int i = first; i <= last; ++i) (void)events.post(account_order{account, i});
  }
  using accounts = std::map<int, std::vector<int>>;

  std::map<int, std::chrono::steady_clock::duration> takes;
  std::map<std::pair<int, int>, int> fails;
  accounts begun, done;
  std::map<int, int> running_of;
  int running_now = 0, most_running = 0, most_of_account = 0;
};

inline std::vector<int> from_to(int first, int last) {
  std::vector<int> all;
  for (int i = first; i <= last; ++i) all.push_back(i);
  return all;
}

}  // namespace msgbus_test
