#pragma once

/// The core of a subscriber, shared with fan-outs, subscriptions and runs.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/routing/topic_tree.hpp>
#include <msgbus/error.hpp>
#include <msgbus/options.hpp>
#include <msgbus/policy.hpp>
#include <msgbus/registered_at.hpp>
#include <msgbus/subscription.hpp>

namespace msgbus::async::detail {

class subscriber_core final : public routing::topic_tree, public component_core {
 public:
  subscriber_core(const asio::any_io_executor& executor, const mailbox_options& options,
                  std::shared_ptr<provider> overrides);
  ~subscriber_core() override;

  [[nodiscard]] static std::shared_ptr<subscriber_core> make(const asio::any_io_executor& executor,
                                                             const mailbox_options& options,
                                                             std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from, like its policy; null: no policy. Throws
  /// `invalid_topic`.
  subscription attach_handler(std::initializer_list<std::string_view> patterns,
                              const component::message_calls& calls,
                              const component::callable_type& type, void* callable,
                              policy* handler_policy, const registered_at& line);

  [[nodiscard]] bool advance(component_run& d) override;
  [[nodiscard]] bool run_inline(value_ref message, const msgbus::context& ctx, failures& failed,
                                bool from_mailbox) override;
  void shutdown() noexcept;  // for the end of the component

  [[nodiscard]] std::string describe_handlers(std::string_view topic) const override;

  [[nodiscard]] std::vector<component::described_handler> described_handlers(
      msgbus::detail::graph_builder& in) const override;
  void for_each_policy(policy_visitor visit) const override;

  [[nodiscard]] std::shared_ptr<component_core> self() noexcept override {
    return std::static_pointer_cast<subscriber_core>(shared_from_this());
  }

 private:
  [[nodiscard]] std::exception_ptr mismatch(const component_run& d) const override;
};

/// `type_mismatch`: the topic has these handlers, and none accepts the message.
[[nodiscard]] error not_taken(value_ref message, std::string_view topic,
                              const std::string& handlers);

}  // namespace msgbus::async::detail
