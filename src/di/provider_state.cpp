#include <msgbus/di/provider_state.hpp>

namespace msgbus::di {

provider_state::~provider_state() {
  nodes_.for_each([](node& each) { delete &each; });
}

std::uint64_t provider_state::add(const void* identity, std::unique_ptr<implementation> added,
                                  bool lasting) {
  snapshot::trash replaced;
  std::unique_lock lock(writing_);
  node* at = nodes_.find(identity, hash_of_address(identity));
  if (!at) {
    at = new node(identity);
    nodes_.insert(*at, old_);
  }
  const std::uint64_t ticket = ++last_ticket_;
  implementation* const current = added.get();
  at->layers.push_back({std::move(added), ticket, lasting});
  at->current.store(current, std::memory_order_release);
  size_.fetch_add(1, std::memory_order_release);
  if (lasting) {
    auto& layers = at->layers;
    for (auto each = layers.begin(); each + 1 != layers.end(); ++each) {
      if (!each->lasting) continue;
      replaced.add(std::move(each->what));
      layers.erase(each);
      size_.fetch_sub(1, std::memory_order_release);
      break;  // there is at most one
    }
  }
  lock.unlock();
  if (!replaced.empty()) snapshot::retire_later(domain_, std::move(replaced));
  return ticket;
}

template <class Which>
void provider_state::remove_if(const void* identity, Which which) noexcept {
  snapshot::trash old;
  {
    const std::lock_guard lock(writing_);
    node* const at = nodes_.find(identity, hash_of_address(identity));
    if (!at) return;
    std::erase_if(at->layers, [&](layer& each) {
      if (!which(each)) return false;
      old_.add(std::move(each.what));
      size_.fetch_sub(1, std::memory_order_release);
      return true;
    });
    at->current.store(at->layers.empty() ? nullptr : at->layers.back().what.get(),
                      std::memory_order_release);
    old = std::move(old_);
  }
  snapshot::retire(domain_, std::move(old));
}

void provider_state::remove(const void* identity) noexcept {
  remove_if(identity, [](const layer&) { return true; });
}

void provider_state::remove(const void* identity, std::uint64_t ticket) noexcept {
  remove_if(identity, [&](const layer& each) { return each.ticket == ticket; });
}

}  // namespace msgbus::di
