#include <msgbus/async/dead_letters.hpp>

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/error.hpp>

#include "async/await_handlers.hpp"
#include "async/dead_letter_store.hpp"
#include "async/verb_run.hpp"
#include "exec/task_group.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::async {

namespace detail {

namespace {

/// A letter that is on its way to its handler. Destroyed at any time, the letter is still there.
class replay_of_letter {
 public:
  replay_of_letter(std::shared_ptr<dead_letter_store> of, dead_letter_store::kept_letter&& given,
                   std::shared_ptr<component_core> to)
      : store_(std::move(of)),
        letter_(std::move(given)),
        component_(std::move(to)),
        ctx_(letter_.content.message->head().ctx()),
        d_(*component_, letter_.content.message->message(), ctx_) {
    d_.shared = letter_.content.message;
    d_.only = letter_.content.handler;
  }
  replay_of_letter(const replay_of_letter&) = delete;
  replay_of_letter& operator=(const replay_of_letter&) = delete;
  ~replay_of_letter() {
    d_.cut_off();
    store_->end_replay(letter_.entry.id, has_ended_);
  }

  static constexpr bool is_caller = false;
  static constexpr bool is_loop = false;
  [[nodiscard]] component_run& in_hand() noexcept { return d_; }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure) {
    return go_on(d_, failure) || note_end();
  }

  /// Whether there is something to await.
  [[nodiscard]] bool begin() { return component_->advance(d_) || note_end(); }
  [[nodiscard]] bool was_handled() const noexcept { return has_ended_ && d_.failed.empty(); }

 private:
  bool note_end() noexcept {
    has_ended_ = d_.ran != 0 && !d_.cancelled;
    return false;
  }

  const std::shared_ptr<dead_letter_store> store_;
  const dead_letter_store::kept_letter letter_;
  const std::shared_ptr<component_core> component_;
  const msgbus::context ctx_;
  component_run d_;
  bool has_ended_ = false;  // handled, or failed again: it is another letter then
};

/// For the loop that awaits handlers.
struct replayed {
  explicit replayed(std::shared_ptr<replay_of_letter> of) noexcept : replay(std::move(of)) {}
  static constexpr bool is_caller = false;
  static constexpr bool is_loop = false;
  [[nodiscard]] component_run& in_hand() noexcept { return replay->in_hand(); }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure) {
    return replay->handler_ended(failure);
  }
  const std::shared_ptr<replay_of_letter> replay;
};

asio::awaitable<void> run_replay(std::shared_ptr<replay_of_letter> mine) {
  if (!mine->begin()) co_return;
  auto rest = await_handlers<void, replayed>(std::move(mine));
  co_await std::move(rest);
}

/// Whether the letter was handled.
asio::awaitable<bool> replay_one(std::shared_ptr<dead_letter_store> of, std::uint64_t id) {
  std::optional<dead_letter_store::kept_letter> given = of->begin_replay(id);
  if (!given) co_return false;
  std::shared_ptr<component_core> to = given->content.component.lock();
  if (!to || to->closed()) {
    of->end_replay(id, false);
    co_return false;
  }
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const asio::any_io_executor on = exec::child_executor(here, to->executor(), true);
  auto mine = std::make_shared<replay_of_letter>(of, std::move(*given), std::move(to));
  exec::task_group group;
  group.start(on, run_replay(mine));
  co_await group.join();
  if (const std::exception_ptr failure = group.failure(0)) {
    if (!exec::is_aborted(failure)) std::rethrow_exception(failure);
  }
  co_return mine->was_handled();
}

asio::awaitable<std::size_t> replay_all(std::shared_ptr<dead_letter_store> of,
                                        std::vector<std::uint64_t> ids) {
  std::size_t handled = 0;
  for (const std::uint64_t id : ids) {
    const bool well = co_await replay_one(of, id);
    if (well) ++handled;
    const auto state = co_await asio::this_coro::cancellation_state;
    exec::throw_if_aborted(state, "replay");
  }
  co_return handled;
}

}  // namespace

}  // namespace detail

dead_letters::dead_letters(dead_letter_options options)
    : store_(std::make_shared<detail::dead_letter_store>(std::move(options))) {}

dead_letters::~dead_letters() = default;

std::vector<dead_letter> dead_letters::snapshot() const { return store_->snapshot(); }

std::size_t dead_letters::size() const { return store_->size(); }

dead_letter_counters dead_letters::stats() const { return store_->stats(); }

asio::awaitable<std::size_t> dead_letters::replay(std::function<bool(const letter&)> which) {
  return detail::replay_all(store_, store_->matching(which));
}

std::size_t dead_letters::discard(std::function<bool(const letter&)> which) {
  return store_->discard(which);
}

namespace detail {

dead_letter_store::view dead_letter_store::look(std::size_t most) const {
  view made;
  std::vector<std::shared_ptr<component_core>> held;  // released without the lock
  look_at_all([&](const letters& all, const dead_letter_counters& counts) {
    made.kept = all.size();
    made.counts = counts;
    made.newest.reserve(std::min(most, all.size()));
    for (auto each = all.rbegin(); each != all.rend(); ++each) {
      const kept_letter& letter = each->second;
      const std::shared_ptr<component_core> of = letter.content.component.lock();
      if (of && made.by_component[of.get()]++ == 0) held.push_back(of);
      if (made.newest.size() >= most) continue;
      listed_letter listed{letter.entry};
      listed.has_component = of != nullptr;
      if (of) listed.component = of->called().name();
      listed.replaying = letter.replaying;
      made.newest.push_back(std::move(listed));
    }
  });
  return made;
}

dead_letter_store::view letter_access::look(const dead_letters& at, std::size_t most) {
  return at.store_->look(most);
}

void letter_access::add(dead_letters& to, const handler_run& run, std::size_t attempts,
                        const failures& failed) {
  dead_letter_store::kept_letter added;
  added.entry.message = run.message_name;
  added.entry.handler = run.handler.get()->describe();
  added.entry.reason = describe(failed[0]);
  added.entry.attempts = attempts;
  added.entry.at = std::chrono::system_clock::now();
  added.entry.topic = run.ctx.topic();
  added.entry.message_id = run.ctx.message_id();
  added.content.message = std::const_pointer_cast<exec::queued_message>(
      std::static_pointer_cast<const exec::queued_message>(run.message));
  added.content.component = run.component;
  added.content.handler = run.handler.get()->order();
  to.store_->add(std::move(added));
}

}  // namespace detail

}  // namespace msgbus::async
