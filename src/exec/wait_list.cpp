#include <msgbus/detail/exec/wait_list.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/timer.hpp>

#include <asio/this_coro.hpp>

#include <cassert>
#include <memory>
#include <utility>

namespace msgbus::exec {

wait_list::~wait_list() { assert(!first_ && "msgbus: a wait list outlives its waits"); }

asio::awaitable<void> wait_list::wait(attempt take, void* owner, const char* name) {
  node mine(*this);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    throw_if_aborted(state, name);
    if (mine.try_or_join(take, owner)) co_return;
    co_await mine.wait();
  }
}

asio::awaitable<bool> wait_list::wait_for(attempt take, void* owner, clock::duration at_most,
                                          const char* name) {
  // The timer's callback may still run on another thread after this frame has ended.
  struct shared_node {
    explicit shared_node(wait_list& in) : mine(std::make_shared<node>(in)) {}
    shared_node(const shared_node&) = delete;
    shared_node& operator=(const shared_node&) = delete;
    ~shared_node() { mine->leave(); }
    const std::shared_ptr<node> mine;
  };
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto until = detail::saturating_add(now(here), at_most);
  const shared_node shared(*this);
  timer limit(here);
  for (bool has_waited = false;; has_waited = true) {
    const auto state = co_await asio::this_coro::cancellation_state;
    throw_if_aborted(state, name);
    if (shared.mine->try_or_join(take, owner)) co_return true;
    const auto left = detail::saturating_sub(until, now(here));
    if (has_waited && left <= clock::duration::zero()) co_return false;
    limit.start(left, [mine = shared.mine] { mine->set(); });
    co_await shared.mine->wait();
  }
}

void wait_list::wake(std::size_t many, wake_batch& batch) noexcept {
  while (many != 0 && first_) {
    node& next = *first_;
    remove(next);
    const auto claimed = next.claim();
    if (claimed == node::claimed::nothing) continue;  // cancelled, or its context is ending
    next.membership_ = node::membership::woken;
    ++woken_;
    --many;
    if (claimed == node::claimed::handler) batch.add(next);
  }
}

void wait_list::insert(node& added) noexcept {
  if (added.number_ == 0) added.number_ = ++numbers_;
  // From the end, since nearly every node has the highest number.
  node* before = last_;
  while (before && before->number_ > added.number_) before = before->previous_;
  added.previous_ = before;
  added.next_ = before ? before->next_ : first_;
  (added.next_ ? added.next_->previous_ : last_) = &added;
  (before ? before->next_ : first_) = &added;
  added.membership_ = node::membership::queued;
  ++size_;
}

void wait_list::remove(node& removed) noexcept {
  (removed.previous_ ? removed.previous_->next_ : first_) = removed.next_;
  (removed.next_ ? removed.next_->previous_ : last_) = removed.previous_;
  removed.next_ = removed.previous_ = nullptr;
  removed.membership_ = node::membership::outside;
  --size_;
}

void wait_list::node::leave() noexcept {
  if (!std::exchange(has_joined_, false)) return;
  wake_batch passed_on;
  const std::lock_guard lock(list_.mutex_);
  if (membership_ == membership::queued) list_.remove(*this);
  if (membership_ != membership::woken) return;
  --list_.woken_;
  list_.wake(1, passed_on);
}

bool wait_list::node::try_or_join(attempt take, void* owner) {
  const std::lock_guard lock(list_.mutex_);
  const bool woken = membership_ == membership::woken;
  const bool taken = take(owner, woken);
  if (woken) --list_.woken_;
  if (membership_ == membership::queued) list_.remove(*this);
  membership_ = membership::outside;
  has_joined_ = !taken;
  if (taken) return true;
  rearm();
  list_.insert(*this);
  return false;
}

wake_batch::~wake_batch() {
  while (first_) {
    wait_list::node& next = *first_;
    first_ = next.next_;
    next.next_ = nullptr;
    next.post_claimed();  // may destroy the node
  }
}

void wake_batch::add(wait_list::node& woken) noexcept {
  (last_ ? last_->next_ : first_) = &woken;
  last_ = &woken;
}

}  // namespace msgbus::exec
