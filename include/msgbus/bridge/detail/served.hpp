#pragma once

/// Operations that other processes call.

#include <msgbus/bridge/detail/commands.hpp>
#include <msgbus/bridge/detail/link_base.hpp>

#include <asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace msgbus {
struct serve_options;
}  // namespace msgbus

namespace msgbus::bridging {

/// An operation, its types erased.
struct served_operation {
  std::string name;
  std::function<asio::awaitable<payload>(request)> run;
};

template <class R, class... Args>
served_operation make_served(const async::operation<R(Args...)>& called, encoding how) {
  static_assert(
      ((!std::is_lvalue_reference_v<Args> || std::is_const_v<std::remove_reference_t<Args>>) &&
       ...),
      "msgbus: an operation that changes its arguments cannot be served to other "
      "processes: there is nothing to change there");
  return {called.name(),
          [called, how](request asked) { return carry_out(called, std::move(asked), how); }};
}

/// Serves each at `<prefix>.<name>`, and answers discovery.
[[nodiscard]] std::shared_ptr<link_base> join_served(std::shared_ptr<hub> over, std::string prefix,
                                                     std::vector<served_operation> operations,
                                                     const serve_options& how);

}  // namespace msgbus::bridging
