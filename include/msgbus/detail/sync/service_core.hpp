#pragma once

/// The core of a service, shared with operations, which may outlive the service.

#include <msgbus/detail/component/argument.hpp>
#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/detail/routing/name_table.hpp>
#include <msgbus/observer.hpp>

#include <span>

namespace msgbus::sync::detail {

class operation_entry;

class service_core final : public routing::name_table {
 public:
  explicit service_core(std::shared_ptr<provider> overrides);
  ~service_core() override;

  [[nodiscard]] static std::shared_ptr<service_core> make(std::shared_ptr<provider> overrides);

  /// Executes an operation by its name.
  void execute(std::string_view name, std::span<const component::argument> arguments,
               const component::result_ref& result);

  void shutdown() noexcept { router::shutdown(); }

  /// Adds the service to a graph.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;
  /// The operations, in the order of attachment.
  [[nodiscard]] std::vector<component::described_handler> described_handlers() const;

  mutable component::counted_component_state shared;

 private:
  [[noreturn]] void throw_no_handler(std::string_view name);
};

/// One operation of a service, with its only handler.
class operation_entry : public routing::named_entry {
 public:
  operation_entry(std::uint64_t order, std::string given, const registered_at& line,
                  const service_core& in)
      : named_entry(order, std::move(given), line), core(in) {}

  [[nodiscard]] std::string describe() const override { return "operation '" + name + "'"; }

  /// Converts the arguments, runs the handler, stores the result. For callers that hold a guard and
  /// have seen that the entry is active.
  virtual void execute(std::span<const component::argument> arguments,
                       const component::result_ref& result) = 0;

  [[nodiscard]] virtual component::operation_facts facts() const noexcept = 0;

  const service_core& core;  // exists as long as the entry is active

 protected:
  [[noreturn]] void throw_bad_count(std::size_t wanted, std::string_view types,
                                    std::span<const component::argument> given) const;

  [[nodiscard]] component::injection injection(const context& ctx) const noexcept;

  /// Runs `body` and reports the outcome to the observer.
  template <class Body>
  decltype(auto) watched(Body body) const {
    observer* const observer = core.shared.attached_observer.get();
    if (!observer) [[likely]]
      return body();
    const operation_report notification(*observer, name);
    try {
      return body();
    } catch (...) {
      notification.failed();
      throw;
    }
  }

 private:
  // Reports to the observer that the operation is accepted, and in the destructor that it is
  // delivered, unless it failed.
  class operation_report {
   public:
    operation_report(observer& observer, std::string_view operation) noexcept;
    ~operation_report();
    void failed() const noexcept;

   private:
    observer& observer_;
    msgbus::step step_;
    mutable bool failed_ = false;
  };
};

/// Throws `no_handler` for an operation that is empty or was cancelled, or whose service was
/// destroyed.
[[noreturn]] void throw_detached(const operation_entry* entry);

}  // namespace msgbus::sync::detail
