#include <msgbus/detail/exec/context_shutdown_hook.hpp>

#include <asio/detail/strand_executor_service.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/query.hpp>

#include <condition_variable>
#include <thread>

namespace msgbus::exec {

/// The hooks of one context. The context's service and the hooks share it.
class context_shutdown_hooks {
 public:
  bool add(context_shutdown_hook& added) {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    added.next_ = first_;
    added.previous_ = nullptr;
    if (first_) first_->previous_ = &added;
    first_ = &added;
    added.linked_ = true;
    return true;
  }

  void remove(context_shutdown_hook& removed) noexcept {
    std::unique_lock lock(mutex_);
    if (removed.linked_) return take_out(removed);
    // Not linked any more, but the thread that destroys the context may still notify it: wait for
    // that.
    notified_.wait(lock,
                   [&] { return notifying_ != &removed || teller_ == std::this_thread::get_id(); });
  }

  bool remove_and_hold(context_shutdown_hook& removed) noexcept {
    const std::lock_guard lock(mutex_);
    if (!removed.linked_) return false;
    take_out(removed);
    ++holds_;
    return true;
  }

  bool hold(const context_shutdown_hook& linked) noexcept {
    const std::lock_guard lock(mutex_);
    if (!linked.linked_ || ended_) return false;
    ++holds_;
    return true;
  }

  void let_go() noexcept {
    const std::lock_guard lock(mutex_);
    if (--holds_ == 0 && ended_) notified_.notify_all();
  }

  void end() noexcept {
    for (;;) {
      context_shutdown_hook* each = nullptr;
      {
        std::unique_lock lock(mutex_);
        ended_ = true;
        notified_.wait(lock, [&] { return holds_ == 0; });
        teller_ = std::this_thread::get_id();
        notifying_ = each = first_;
        if (each) take_out(*each);
      }
      notified_.notify_all();
      if (!each) return;
      each->context_ended();
    }
  }

 private:
  void take_out(context_shutdown_hook& out) noexcept {
    (out.previous_ ? out.previous_->next_ : first_) = out.next_;
    if (out.next_) out.next_->previous_ = out.previous_;
    out.linked_ = false;
  }

  std::mutex mutex_;
  std::condition_variable notified_;
  bool ended_ = false;
  std::size_t holds_ = 0;
  context_shutdown_hook* first_ = nullptr;
  const context_shutdown_hook* notifying_ = nullptr;  // the hook that is notified now
  std::thread::id teller_;                            // the thread that notifies
};

namespace {

class links_service : public asio::execution_context::service {
 public:
  using key_type = links_service;
  static inline asio::execution_context::id id;

  // The service of strands must be older than this one, so that it is shut down later. A strand
  // that has been shut down destroys a posted handler inside `post`, so under the locks of the
  // thread that posts.
  explicit links_service(asio::execution_context& context)
      : asio::execution_context::service(context) {
    asio::use_service<asio::detail::strand_executor_service>(context);
  }

  const std::shared_ptr<context_shutdown_hooks> links = std::make_shared<context_shutdown_hooks>();

 private:
  void shutdown() override { links->end(); }
};

}  // namespace

bool context_shutdown_hook::link(const asio::any_io_executor& executor) {
  unlink();
  if (!executor) return false;
  auto& context = asio::query(executor, asio::execution::context);
  list_ = asio::use_service<links_service>(context).links;
  return list_->add(*this);
}

void context_shutdown_hook::unlink() noexcept {
  if (list_) list_->remove(*this);
}

bool context_shutdown_hook::unlink_and_hold() noexcept {
  return list_ && list_->remove_and_hold(*this);
}

bool context_shutdown_hook::hold() const noexcept { return list_ && list_->hold(*this); }

context_keeper::~context_keeper() {
  if (held_) held_->let_go();
}

void context_shutdown_hook::unlink_and_release(asio::any_io_executor& held) noexcept {
  // If the context ends at the same time on another thread, `context_ended` empties the executor.
  if (unlink_and_hold()) {
    const context_keeper until_released = adopt_hold();
    held = {};
  }
  unlink();
}

}  // namespace msgbus::exec
