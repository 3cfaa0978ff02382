#include <msgbus/detail/routing/retire_list.hpp>

#include <utility>

namespace msgbus::routing {

retire_list::retire_list() noexcept = default;

retire_list::retire_list(retire_list&& other) noexcept
    : few_(other.few_),
      few_size_(std::exchange(other.few_size_, 0)),
      more_(std::exchange(other.more_, {})) {}

retire_list& retire_list::operator=(retire_list&& other) noexcept {
  retire_list taken(std::move(other));
  std::swap(few_, taken.few_);
  std::swap(few_size_, taken.few_size_);
  more_.swap(taken.more_);
  return *this;
}

retire_list::~retire_list() {
  for (std::size_t i = 0; i < few_size_; ++i) few_[i].destroy(few_[i].object);
  for (const thing& each : more_) each.destroy(each.object);
}

void retire_list::add(void* object, void (*destroy)(void*)) noexcept {
  if (few_size_ < few_.size()) {
    few_[few_size_++] = {object, destroy};
  } else {
    more_.push_back({object, destroy});
  }
}

void retire_list::add(std::shared_ptr<const void> object) noexcept {
  add(std::make_unique<std::shared_ptr<const void>>(std::move(object)));
}

void retire_list::add(retire_list&& other) noexcept {
  for (std::size_t i = 0; i < other.few_size_; ++i)
    add(other.few_[i].object, other.few_[i].destroy);
  for (const thing& each : other.more_) add(each.object, each.destroy);
  other.few_size_ = 0;
  other.more_.clear();
}

}  // namespace msgbus::routing
