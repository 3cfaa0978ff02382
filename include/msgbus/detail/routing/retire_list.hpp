#pragma once

/// Unlinked objects that readers may still use, before their destruction.

#include <msgbus/detail/core/config.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace msgbus::routing {

/// A list of owned objects of any type, destroyed in the order of insertion. For one thread. Adding
/// is `noexcept`: without memory to keep an object for its readers, the program cannot continue.
class retire_list {
 public:
  retire_list() noexcept;
  retire_list(retire_list&& other) noexcept;
  retire_list& operator=(retire_list&& other) noexcept;
  ~retire_list();

  template <class T>
  void add(std::unique_ptr<T> object) noexcept {
    if (!object) return;
    add(object.get(), [](void* p) { std::default_delete<T>()(static_cast<T*>(p)); });
    (void)object.release();  // now owned by the list
  }

  /// Releases the given share.
  void add(std::shared_ptr<const void> object) noexcept;

  void add(retire_list&& other) noexcept;

  /// `destroy(object)` is called in order.
  void add(void* object, void (*destroy)(void*)) noexcept;

  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return few_size_ + more_.size(); }

 private:
  struct thing {
    void* object;
    void (*destroy)(void*);
  };

  // The objects of one cancellation need no heap memory.
  std::array<thing, 2> few_{};
  std::size_t few_size_ = 0;
  std::vector<thing> more_;  // follow those in `few_`
};

}  // namespace msgbus::routing
