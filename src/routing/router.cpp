#include <msgbus/detail/routing/router.hpp>

#include <msgbus/subscription.hpp>

namespace msgbus::routing {

router::router() = default;

router::~router() {
  while (entry* const each = last_) {
    unchain(*each);
    each->self_.reset();
  }
}

void router::own(std::shared_ptr<entry> made) noexcept {
  entry& added = *made;
  next_order_.store(added.order() + 1, std::memory_order_release);
  added.owner_ = weak_from_this();
  added.self_ = std::move(made);
  added.previous_ = last_;
  if (last_) last_->next_ = &added;
  last_ = &added;
}

std::shared_ptr<entry> router::attach(make_entry make, link_entry link) {
  const std::lock_guard lock(writing_);
  std::shared_ptr<entry> made = make(next_order_.load(std::memory_order_relaxed));
  own(made);
  routing::retire_list old;
  link(*made, old);
  if (!old.empty()) keep_old(std::move(old));
  return made;
}

// `noexcept`: without memory to keep objects for their readers, the program cannot continue.
void router::keep_old(routing::retire_list old) noexcept {
  if (!old_) old_ = std::make_unique<routing::retire_list>();
  old_->add(std::move(old));
}

routing::retire_list router::take_old() noexcept {
  return old_ ? std::move(*old_) : routing::retire_list();
}

void router::unchain(entry& removed) noexcept {
  if (removed.previous_) removed.previous_->next_ = removed.next_;
  (removed.next_ ? removed.next_->previous_ : last_) = removed.previous_;
}

void router::detach(entry& detached) noexcept {
  const auto owner = detached.owner_.lock();
  if (owner && owner->take_out(detached, true)) return;
  // Another thread detaches it, or destroys the component: wait for that thread, except inside a
  // handler, since that thread may wait for this handler.
  if (routing::inside_guard()) return;
  if (!entry::releasing()) return detached.wait_until_let_go();
  // The destructor of a capture cancels a handler. That handler may own the capture, may be
  // released next on this thread, or its captures may wait for this thread. So wait for its calls
  // only.
  if (owner) routing::retire(owner->domain_, {});
}

void router::detach_later(entry& detached) noexcept {
  if (const auto owner = detached.owner_.lock()) owner->take_out(detached, false);
}

bool router::take_out(entry& detached, bool may_wait) noexcept {
  routing::retire_list old;
  {
    const std::lock_guard lock(writing_);
    if (!detached.active_.exchange(false, std::memory_order_relaxed)) return false;
    old = take_old();
    unlink(detached, old);
    unchain(detached);
    old.add(&detached, [](void* object) {
      auto& gone = *static_cast<entry*>(object);
      gone.let_go(std::move(gone.self_));
    });
  }
  if (may_wait) {
    routing::retire(domain_, std::move(old));
  } else {
    routing::retire_later(domain_, std::move(old));
  }
  return true;
}

void router::for_each_attached(function_ref<void(const entry&)> f) const {
  const std::lock_guard lock(writing_);
  const entry* each = last_;
  while (each && each->previous_) each = each->previous_;
  for (; each; each = each->next_) {
    if (each->active()) f(*each);
  }
}

void router::shutdown() noexcept {
  routing::retire_list old;
  {
    // The routes keep their entries. Later dispatches find no active entry.
    const std::lock_guard lock(writing_);
    hide_soles();
    for (entry* each = last_; each; each = each->previous_) {
      if (!each->active_.exchange(false, std::memory_order_relaxed)) continue;
      old.add(each, [](void* object) {
        auto& gone = *static_cast<entry*>(object);
        gone.let_go(gone.self_);
      });
    }
    old.add(take_old());
  }
  old.add(std::shared_ptr<const void>(shared_from_this()));
  routing::retire(domain_, std::move(old));
}

}  // namespace msgbus::routing

namespace msgbus {

void subscription::cancel() noexcept {
  if (entry_) routing::router::detach(*entry_);
}

}  // namespace msgbus
