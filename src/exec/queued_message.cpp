#include <msgbus/detail/exec/queued_message.hpp>

#include <algorithm>
#include <new>

namespace msgbus::exec {

namespace {

/// Memory that is allocated together with a `shared_place`.
struct behind {
  std::size_t bytes;
  std::size_t alignment;
  void* at = nullptr;
};

/// Owns a message that follows it in the same block.
struct shared_storage {
  shared_storage() = default;
  shared_storage(const shared_storage&) = delete;
  shared_storage& operator=(const shared_storage&) = delete;
  ~shared_storage() {
    if (message) message->~movable_queued_message();
  }

  movable_queued_message* message = nullptr;
};

/// Allocates the memory behind as well.
template <class T>
struct with_behind {
  using value_type = T;

  explicit with_behind(behind& extra) noexcept : wanted(&extra), alignment(extra.alignment) {}
  template <class U>
  explicit with_behind(const with_behind<U>& other) noexcept
      : wanted(other.wanted), alignment(other.alignment) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    const std::size_t before = (count * sizeof(T) + alignment - 1) / alignment * alignment;
    const std::size_t bytes = before + wanted->bytes;
    void* const block = is_over_aligned() ? ::operator new(bytes, std::align_val_t{alignment})
                                          : ::operator new(bytes);
    wanted->at = static_cast<std::byte*>(block) + before;
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t) noexcept {
    if (is_over_aligned()) return ::operator delete(block, std::align_val_t{alignment});
    ::operator delete(block);
  }

  template <class U>
  bool operator==(const with_behind<U>&) const noexcept {
    return true;
  }

  [[nodiscard]] bool is_over_aligned() const noexcept {
    return alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  }

  behind* wanted;  // valid only during `allocate`
  std::size_t alignment;
};

}  // namespace

std::shared_ptr<queued_message> made_shared(std::size_t bytes, std::size_t alignment,
                                            function_ref<movable_queued_message*(void*)> make) {
  behind extra{bytes, std::max(alignment, std::size_t{__STDCPP_DEFAULT_NEW_ALIGNMENT__})};
  const auto stored = std::allocate_shared<shared_storage>(with_behind<shared_storage>(extra));
  stored->message = make(extra.at);
  return {stored, stored->message};
}

queued_caused_message::queued_caused_message(shared_message there,
                                             const shared_origin& cause) noexcept
    : there_(std::move(there)), cause_(cause) {}

queued_caused_message::~queued_caused_message() = default;

std::shared_ptr<queued_message> queued_caused_message::share() {
  return std::make_shared<queued_caused_message>(there_->share(), cause_);
}

shared_message caused_by(shared_message made, const shared_origin& cause) {
  return std::make_shared<queued_caused_message>(std::move(made), cause);
}

}  // namespace msgbus::exec
