#include <msgbus/snapshot/trash.hpp>

#include <utility>

namespace msgbus::snapshot {

trash::trash() noexcept = default;

trash::trash(trash&& other) noexcept : things_(std::exchange(other.things_, {})) {}

trash& trash::operator=(trash&& other) noexcept {
  trash(std::move(other)).things_.swap(things_);
  return *this;
}

trash::~trash() {
  for (const thing& each : things_) each.destroy(each.object);
}

void trash::add(void* object, void (*destroy)(void*)) noexcept {
  things_.push_back({object, destroy});
}

void trash::add(std::shared_ptr<const void> object) noexcept {
  add(std::make_unique<std::shared_ptr<const void>>(std::move(object)));
}

void trash::add(trash&& other) noexcept {
  things_.insert(things_.end(), other.things_.begin(), other.things_.end());
  other.things_.clear();
}

}  // namespace msgbus::snapshot
