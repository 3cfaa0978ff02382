#pragma once

/// The core of a consumer, shared with fan-outs, subscriptions and runs.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/component/any_callable.hpp>
#include <msgbus/detail/routing/type_table.hpp>
#include <msgbus/options.hpp>
#include <msgbus/policy.hpp>
#include <msgbus/registered_at.hpp>
#include <msgbus/subscription.hpp>

namespace msgbus::async::detail {

class consumer_core final : public routing::type_table, public component_core {
 public:
  consumer_core(const asio::any_io_executor& executor, const mailbox_options& options,
                std::shared_ptr<provider> overrides);
  ~consumer_core() override;

  [[nodiscard]] static std::shared_ptr<consumer_core> make(const asio::any_io_executor& executor,
                                                           const mailbox_options& options,
                                                           std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from, like its policy; null: no policy.
  subscription attach_handler(std::span<const routing::typed_call> calls,
                              const component::callable_type& type, void* callable,
                              policy* handler_policy, const registered_at& line);

  [[nodiscard]] bool advance(component_run& d) override;
  [[nodiscard]] bool run_inline(value_ref message, const msgbus::context& ctx, failures& failed,
                                bool from_mailbox) override;
  void shutdown() noexcept;  // for the end of the component

  [[nodiscard]] std::vector<component::described_handler> described_handlers(
      msgbus::detail::graph_builder& in) const override;
  void for_each_policy(policy_visitor visit) const override;

  [[nodiscard]] std::shared_ptr<component_core> self() noexcept override {
    return std::static_pointer_cast<consumer_core>(shared_from_this());
  }

 private:
  bool run_list(routing::handler_range list, component_run& d, const attachments* by);
};

}  // namespace msgbus::async::detail
