#include <msgbus/detail/component/any_callable.hpp>

#include <cstring>
#include <new>

namespace msgbus::component {

any_callable::any_callable(const callable_type& type, void* from) : type_(&type) {
  const bool fits = type.size <= sizeof inside_ && type.alignment <= alignof(std::max_align_t);
  at_ = fits ? inside_ : ::operator new(type.size, std::align_val_t{type.alignment});
  if (!type.move) {
    std::memcpy(at_, from, type.size);
    return;
  }
  try {
    type.move(at_, from);
  } catch (...) {
    free();
    throw;
  }
}

void any_callable::destroy() noexcept {
  if (!type_) return;
  if (type_->destroy) type_->destroy(at_);
  free();
  type_ = nullptr;
}

void any_callable::free() noexcept {
  if (!is_inside()) ::operator delete(at_, std::align_val_t{type_->alignment});
}

}  // namespace msgbus::component
