#include <msgbus/exec/carried.hpp>

#include <new>

namespace msgbus::exec {

namespace {

/// Memory that is asked for together with that of a `shared_place`.
struct behind {
  std::size_t bytes;
  void* at = nullptr;
};

/// Owns a message behind itself, in the same block.
struct shared_place {
  shared_place() = default;
  shared_place(const shared_place&) = delete;
  shared_place& operator=(const shared_place&) = delete;
  ~shared_place() {
    if (message) message->~movable_carried();
  }

  movable_carried* message = nullptr;
};

/// Allocates what is behind as well.
template <class T>
struct with_behind {
  using value_type = T;

  explicit with_behind(behind& room) noexcept : wanted(&room) {}
  template <class U>
  explicit with_behind(const with_behind<U>& other) noexcept : wanted(other.wanted) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= alignment);
    const std::size_t before = (count * sizeof(T) + alignment - 1) / alignment * alignment;
    void* const block = ::operator new(before + wanted->bytes);
    wanted->at = static_cast<std::byte*>(block) + before;
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t) noexcept { ::operator delete(block); }

  template <class U>
  bool operator==(const with_behind<U>&) const noexcept {
    return true;
  }

  static constexpr std::size_t alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  behind* wanted;  // only while it allocates
};

}  // namespace

std::shared_ptr<carried> movable_carried::share_moved(std::size_t bytes) {
  behind room{bytes};
  const auto place = std::allocate_shared<shared_place>(with_behind<shared_place>(room));
  place->message = move_to(room.at);
  return {place, place->message};
}

carried_caused::carried_caused(shared_message there, const shared_origin& cause) noexcept
    : there_(std::move(there)), cause_(cause) {}

carried_caused::~carried_caused() = default;

std::shared_ptr<carried> carried_caused::share() {
  return std::make_shared<carried_caused>(there_->share(), cause_);
}

owned_message caused_by(owned_message made, const shared_origin& cause) {
  return std::make_unique<carried_caused>(std::move(made), cause);
}

shared_message caused_by(shared_message made, const shared_origin& cause) {
  return std::make_shared<carried_caused>(std::move(made), cause);
}

}  // namespace msgbus::exec
