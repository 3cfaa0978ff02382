#pragma once

/// The part of a subscriber that publishers, subscriptions and deliveries share.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/async/detail/fan_out.hpp>
#include <msgbus/component/binding.hpp>
#include <msgbus/component/handler_entry.hpp>
#include <msgbus/exec/held_message.hpp>
#include <msgbus/exec/options.hpp>
#include <msgbus/policy/policy.hpp>
#include <msgbus/routing/single_route.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/routing/topic_tree.hpp>

namespace msgbus::async::detail {

class subscriber_core final : public routing::topic_tree, public core {
 public:
  subscriber_core(const asio::any_io_executor& executor, const mailbox_options& options,
                  std::shared_ptr<provider> overrides);
  ~subscriber_core() override;

  [[nodiscard]] static std::shared_ptr<subscriber_core> make(const asio::any_io_executor& executor,
                                                             const mailbox_options& options,
                                                             std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from, as is its policy; null: it has none. Throws
  /// `invalid_topic`.
  subscription attach_handler(std::initializer_list<std::string_view> patterns,
                              const component::message_calls& calls,
                              const component::callable_type& type, void* callable, policy* how);

  [[nodiscard]] bool advance(delivery& d) override;
  void close() noexcept;  // for the end of the component
  void close_to_new() noexcept { core::close(); }

  /// The handlers of the topic, whatever they take, for errors.
  [[nodiscard]] std::string describe_handlers(std::string_view topic) const;

  [[nodiscard]] std::shared_ptr<core> self() noexcept override {
    return std::static_pointer_cast<subscriber_core>(shared_from_this());
  }
  [[nodiscard]] const char* kind() const noexcept override { return "the subscriber"; }

  component::bound_to<subscriber_core> senders;

 private:
  [[nodiscard]] std::exception_ptr mismatch(const delivery& d) const override;
};

class publisher_core final : public routing::single_route {
 public:
  publisher_core();
  ~publisher_core() override;

  [[nodiscard]] static std::shared_ptr<publisher_core> make();

  void bind(const std::shared_ptr<subscriber_core>& target);
  void unbind(subscriber_core& target);

  /// The subscribers that are bound now.
  [[nodiscard]] targets bound() const;
  /// Has those deliver it; what must be awaited is left to the fan-out.
  void deliver(fan_out& together, to_share& message) const;
  void count_unrouted(const msgbus::step& about) noexcept;

  mutable observer_slot watcher;
  mutable striped_counter unrouted;
};

// The verbs of a publisher: each coroutine owns the message.

asio::awaitable<std::size_t> publish(std::shared_ptr<publisher_core> self,
                                     exec::held_message message);
asio::awaitable<receipt> send(std::shared_ptr<publisher_core> self, exec::held_message message);
receipt post(publisher_core& self, exec::carried& message);
receipt send_blocking(publisher_core& self, exec::carried& message,
                      std::chrono::steady_clock::duration timeout);

/// Throws `type_mismatch`: some subscriber has handlers for the topic, and none takes the type.
[[noreturn]] void throw_mismatch(const targets& all, value_ref message, std::string_view topic);

}  // namespace msgbus::async::detail
