#pragma once

/// The core of a service, shared with operations, which may outlive the service.

#include <msgbus/detail/component/argument.hpp>
#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/detail/routing/name_table.hpp>
#include <msgbus/detail/sync/thread_span.hpp>
#include <msgbus/observer.hpp>

#include <optional>
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

  void trace(std::shared_ptr<tracer> by) {
    shared.attached_observer.set_tracer(guarded(), std::move(by));
  }

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

  /// Runs `body` and reports the outcome to the observer; with a tracer, it has spans.
  template <class Body>
  decltype(auto) watched(Body body) const {
    const attachments* const by = core.shared.attached_observer.attachments_now();
    if (!by) [[likely]]
      return body();
    operation_report notification(*by, *this);
    try {
      return body();
    } catch (...) {
      notification.failed();
      throw;
    }
  }

 private:
  // Reports to the observer that the operation is accepted, and in the destructor that it is
  // delivered, unless it failed. Owns the spans of the call and of the handler.
  class operation_report {
   public:
    operation_report(const attachments& by, const operation_entry& operation) noexcept;
    operation_report(const operation_report&) = delete;
    operation_report& operator=(const operation_report&) = delete;
    ~operation_report();
    void failed() noexcept;

   private:
    observer* const observer_;
    const msgbus::step step_;
    bool failed_ = false;
    std::optional<cause_scope> unsampled_;
    std::optional<thread_span> called_;
    std::optional<thread_span> handled_;
  };
};

/// Throws `no_handler` for an operation that is empty or was cancelled, or whose service was
/// destroyed.
[[noreturn]] void throw_detached(const operation_entry* entry);

}  // namespace msgbus::sync::detail
