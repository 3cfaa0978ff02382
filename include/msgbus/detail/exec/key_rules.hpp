#pragma once

/// The key rules of a mailbox. Read without locks under a guard of the component's domain; changed
/// from any thread.

#include <msgbus/detail/exec/key_rule.hpp>
#include <msgbus/detail/routing/guard.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace msgbus::exec {

class key_rules {
 public:
  key_rules() = default;
  key_rules(const key_rules&) = delete;
  key_rules& operator=(const key_rules&) = delete;
  ~key_rules();

  /// Replaces an earlier rule for the same type.
  void add(const routing::domain& guarded, std::shared_ptr<const key_rule> added);
  /// On a thread that is not inside a handler, no key function runs any more after this.
  void clear(const routing::domain& guarded) noexcept;

  [[nodiscard]] bool has_any() const noexcept {
    return current_.load(std::memory_order_acquire) != nullptr;
  }

  /// Under a guard: the key of the message; null if there are no rules. May throw `bad_alloc`. An
  /// exception of the user's function becomes the key's `failure`.
  [[nodiscard]] keyed_ptr key(value_ref message, std::string_view topic) const {
    const rules* const all = current_.load(std::memory_order_acquire);
    return all ? made(*all, message, topic) : nullptr;
  }

 private:
  using rules = std::vector<std::shared_ptr<const key_rule>>;

  static keyed_ptr made(const rules& all, value_ref message, std::string_view topic);

  std::mutex changing_;
  bool cleared_ = false;  // under the mutex: for good
  std::atomic<rules*> current_{nullptr};
};

}  // namespace msgbus::exec
