#include <msgbus/exec/recycled_memory.hpp>

#include <asio/recycling_allocator.hpp>

#include <new>
#include <utility>

namespace msgbus::exec {

namespace {

struct chunk {
  alignas(std::max_align_t) std::byte bytes[alignof(std::max_align_t)];
};

using blocks = asio::recycling_allocator<chunk>;

std::size_t chunks(std::size_t bytes) { return (bytes + sizeof(chunk) - 1) / sizeof(chunk); }

}  // namespace

recycled_memory::recycled_memory(recycled_memory&& other) noexcept
    : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_), alignment_(other.alignment_) {}

recycled_memory::~recycled_memory() {
  if (!at_) return;
  if (alignment_ > alignof(chunk)) {
    ::operator delete(at_, std::align_val_t{alignment_});
  } else {
    blocks().deallocate(static_cast<chunk*>(at_), chunks(bytes_));
  }
}

void* recycled_memory::take() {
  at_ = alignment_ > alignof(chunk) ? ::operator new(bytes_, std::align_val_t{alignment_})
                                    : blocks().allocate(chunks(bytes_));
  return at_;
}

}  // namespace msgbus::exec
