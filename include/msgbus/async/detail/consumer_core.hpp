#pragma once

/// The part of a consumer that producers, subscriptions and deliveries share.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/async/detail/fan_out.hpp>
#include <msgbus/component/any_callable.hpp>
#include <msgbus/component/binding.hpp>
#include <msgbus/exec/held_message.hpp>
#include <msgbus/exec/options.hpp>
#include <msgbus/policy/policy.hpp>
#include <msgbus/routing/single_route.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/routing/type_table.hpp>

namespace msgbus::async::detail {

class consumer_core final : public routing::type_table, public core {
 public:
  consumer_core(const asio::any_io_executor& executor, const mailbox_options& options,
                std::shared_ptr<provider> overrides);
  ~consumer_core() override;

  [[nodiscard]] static std::shared_ptr<consumer_core> make(const asio::any_io_executor& executor,
                                                           const mailbox_options& options,
                                                           std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from, as is its policy; null: it has none.
  subscription attach_handler(std::span<const routing::typed_call> calls,
                              const component::callable_type& type, void* callable, policy* how);

  [[nodiscard]] bool advance(delivery& d) override;
  void close() noexcept;  // for the end of the component
  void close_to_new() noexcept { core::close(); }

  [[nodiscard]] std::shared_ptr<core> self() noexcept override {
    return std::static_pointer_cast<consumer_core>(shared_from_this());
  }
  [[nodiscard]] const char* kind() const noexcept override { return "the consumer"; }

  component::bound_to<consumer_core> senders;

 private:
  bool run_list(routing::listed list, delivery& d, observer* watcher);
};

/// What a producer's bindings and its own shares are.
class producer_core final : public routing::single_route {
 public:
  producer_core();
  ~producer_core() override;

  [[nodiscard]] static std::shared_ptr<producer_core> make();

  void bind(const std::shared_ptr<consumer_core>& target);
  void unbind(consumer_core& target);

  /// The consumers that are bound now.
  [[nodiscard]] targets bound() const;
  /// Has those deliver it; what must be awaited is left to the fan-out.
  void deliver(fan_out& together, to_share& message) const;
  void count_unrouted(const msgbus::step& about) noexcept;

  mutable observer_slot watcher;
  mutable striped_counter unrouted;
};

// The verbs of a producer: each coroutine owns the event.

asio::awaitable<std::size_t> dispatch(std::shared_ptr<producer_core> self,
                                      exec::held_message event);
asio::awaitable<receipt> send(std::shared_ptr<producer_core> self, exec::held_message event);
receipt post(producer_core& self, exec::carried& event);
receipt send_blocking(producer_core& self, exec::carried& event,
                      std::chrono::steady_clock::duration timeout);

}  // namespace msgbus::async::detail
