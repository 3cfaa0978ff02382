#pragma once

/// Things that readers may still be using, on their way to being destroyed.

#include <msgbus/core/namespaces.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace msgbus::snapshot {

/// A list of owned things of any type, destroyed in the order they were added. For one thread.
/// Adding is `noexcept`: without memory to keep a thing for its readers, there is no going on.
class trash {
 public:
  trash() = default;
  trash(trash&& other) noexcept : things_(std::exchange(other.things_, {})) {}
  trash& operator=(trash&& other) noexcept {
    trash(std::move(other)).things_.swap(things_);
    return *this;
  }
  ~trash() {
    for (const thing& each : things_) each.destroy(each.object);
  }

  template <class T>
  void add(std::unique_ptr<T> object) noexcept {
    if (!object) return;
    things_.push_back(
        {object.get(), [](void* p) { std::default_delete<T>()(static_cast<T*>(p)); }});
    (void)object.release();  // owned by the entry from here on
  }

  /// Drops the share that it is given.
  void add(std::shared_ptr<const void> object) noexcept {
    add(std::make_unique<std::shared_ptr<const void>>(std::move(object)));
  }

  void add(trash&& other) noexcept {
    things_.insert(things_.end(), other.things_.begin(), other.things_.end());
    other.things_.clear();
  }

  [[nodiscard]] bool empty() const noexcept { return things_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return things_.size(); }

 private:
  struct thing {
    void* object;
    void (*destroy)(void*);
  };
  std::vector<thing> things_;
};

}  // namespace msgbus::snapshot
