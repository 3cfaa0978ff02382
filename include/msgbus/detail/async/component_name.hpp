#pragma once

/// The name of a component, for errors and observers.

#include <msgbus/detail/core/config.hpp>

#include <atomic>
#include <string_view>

namespace msgbus::async::detail {

/// Read by any thread, while others set it. A text that was read is valid as long as this object.
class component_name {
 public:
  /// `kind` describes a component without a name: "the consumer", "the subscriber" or "the
  /// service".
  explicit component_name(std::string_view kind) noexcept;
  component_name(const component_name&) = delete;
  component_name& operator=(const component_name&) = delete;
  ~component_name();

  void set(std::string_view name);

  /// "the consumer", or `the consumer "audit"`.
  [[nodiscard]] const char* text() const noexcept;
  /// Empty for a component without a name.
  [[nodiscard]] std::string_view name() const noexcept;
  /// The kind alone, such as "consumer".
  [[nodiscard]] std::string_view kind() const noexcept;

 private:
  struct given;

  // One pointer, since each component has one.
  std::atomic<const given*> last_;  // the newest; each owns the one before it, but for the kind
};

}  // namespace msgbus::async::detail
