#include "bridge/replay_server.hpp"

#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/error.hpp>

#include "bridge/dead_letter_store.hpp"
#include "policy/backoff.hpp"

#include <asio/this_coro.hpp>

#include <optional>
#include <utility>

namespace msgbus::bridging {

namespace {

constexpr std::size_t most_replays = 16;  // at once, of one durable name in one process

replay_result stays(std::string why) { return {replay_end::stays, std::move(why)}; }

}  // namespace

/// Its destruction ends it, also where its context has destroyed it.
class replay_server::replay {
 public:
  replay(std::shared_ptr<replay_server> server, letter_position of_letter)
      : of(std::move(server)), position(std::move(of_letter)), busy_(of->hub_->busy) {}
  replay(const replay&) = delete;
  replay& operator=(const replay&) = delete;
  ~replay() { end(); }

  /// It is in `running_`, which it leaves at its end.
  void begun() noexcept { runs_ = true; }
  /// Another one of the same dead letter may begin.
  void end() noexcept {
    if (!std::exchange(runs_, false)) return;
    const std::lock_guard lock(of->mutex_);
    of->running_.erase(position);
  }

  /// The event that ends the next pause; set if the link was cancelled.
  [[nodiscard]] std::shared_ptr<exec::one_shot_event> begin_pause() {
    auto made = std::make_shared<exec::one_shot_event>();
    const std::lock_guard lock(of->mutex_);
    if (of->stopped_) made->set();
    of->running_[position] = made;
    return made;
  }
  [[nodiscard]] bool is_stopped() const {
    const std::lock_guard lock(of->mutex_);
    return of->stopped_;
  }

  const std::shared_ptr<replay_server> of;
  const letter_position position;

 private:
  const exec::wait_group::task busy_;  // `drain` waits for the answer, too
  bool runs_ = false;
};

/// Set when its outcome is known.
struct replay_server::attempt final : exec::one_shot_event {
  explicit attempt(unsigned which) noexcept : number(which) {}
  const unsigned number;
  outcome result = outcome::abandoned;
  std::size_t ran = 0;
  std::string reason;       // of a failure
  bool is_decoded = true;   // else it is of no use to try again
  bool is_accepted = true;  // by the component
};

/// Destroyed with its message, whose component may not have told an outcome.
class replay_server::told_there final : public exec::outcome_listener {
 public:
  explicit told_there(std::shared_ptr<attempt> to) noexcept : to_(std::move(to)) {}
  told_there(const told_there&) = delete;
  told_there& operator=(const told_there&) = delete;
  ~told_there() { to_->set(); }

  void settled(outcome result, std::size_t ran, const failures& failed) noexcept override {
    if (to_->is_set()) return;
    to_->result = result;
    to_->ran = ran;
    try {
      if (is_failure(result, ran)) to_->reason = reason_of(failed);
    } catch (...) {
      to_->reason = "no memory for the reason";
    }
    to_->set();
  }

 private:
  const std::shared_ptr<attempt> to_;
};

replay_server::replay_server(std::shared_ptr<hub> over, std::string link, receiving_end to,
                             durable_options options)
    : hub_(std::move(over)),
      link_(std::move(link)),
      to_(std::move(to)),
      options_(std::move(options)),
      stream_(std::make_shared<const std::string>(options_.stream)) {}

void replay_server::stop() noexcept {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (const auto& [position, pause] : running_) {
    if (pause) pause->set();
  }
}

void replay_server::ended(const std::exception_ptr& why) noexcept {
  hub_->failed(link_ + ", whose dead letters cannot be replayed here", why);
}

bool replay_server::take(envelope&& request, bool) noexcept {
  try {
    std::optional<letter_position> position = read_request(request.payload);
    if (!position) {
      answer(request.reply_to, stays("this is no request for a replay"));
      return true;
    }
    // Made first: if that fails, no entry may stay among the running replays.
    auto mine = std::make_shared<replay>(shared_from_this(), std::move(*position));
    std::string why_not;
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) {
        why_not = "its link has been cancelled";
      } else if (running_.contains(mine->position)) {
        why_not = "it is just being replayed";
      } else if (running_.size() >= most_replays) {
        why_not = "its process replays " + std::to_string(most_replays) + " others";
      } else {
        running_.emplace(mine->position, nullptr);
        mine->begun();
      }
    }
    if (!why_not.empty()) {
      answer(request.reply_to, stays(std::move(why_not)));
      return true;
    }
    launch(hub_, hub_->executor(), link_, serve(std::move(mine), std::move(request.reply_to)));
  } catch (...) {
    hub_->failed(link_, std::current_exception());
  }
  return true;
}

void replay_server::answer(const std::string& reply_to, const replay_result& result) {
  if (reply_to.empty()) return;
  envelope reply{reply_to};
  reply.payload = write_result(result);
  hub_->wire->publish(reply, transport::urgency::at_once);
}

asio::awaitable<void> replay_server::serve(std::shared_ptr<replay> mine, std::string reply_to) {
  replay_result result;
  try {
    auto running = run(mine);
    result = co_await std::move(running);
  } catch (...) {
    result.why = describe(std::current_exception());
  }
  if (result.end == replay_end::stays) result.why = in_one_line(result.why);
  mine->end();
  mine->of->answer(reply_to, result);
}

asio::awaitable<replay_result> replay_server::run(std::shared_ptr<replay> mine) {
  const durable_options& options = mine->of->options_;
  auto reading = mine->of->hub_->wire->read(mine->position.stream, mine->position.sequence);
  std::optional<transport::stored_message> found = co_await std::move(reading);
  if (!found || found->sequence != mine->position.sequence) co_return stays("it has been removed");
  const std::string why_not = why_no_letter(*found);
  if (!why_not.empty()) co_return stays("it is no dead letter: it " + why_not);
  const stored_dead_letter letter = read_letter(std::move(*found));
  if (letter.stream != options.stream || letter.durable != options.durable) {
    co_return stays("it is one of " + letter.handler + ", and not of " +
                    link_name(options.stream, options.durable));
  }
  if (!letter.missing.empty()) co_return stays("it lacks its " + letter.missing);
  auto running = run_letter(mine, letter);
  replay_result result = co_await std::move(running);
  co_return result;
}

asio::awaitable<replay_result> replay_server::run_letter(std::shared_ptr<replay> mine,
                                                         const stored_dead_letter& letter) {
  const durable_options& options = mine->of->options_;
  // Without a limit, one that always fails would never come to an end.
  const redelivery_rule rule{std::max(options.max_deliver, 1U), options.backoff,
                             options.max_backoff, options.jitter};
  const envelope message = message_of(letter);
  for (unsigned number = 1;; ++number) {
    const auto last = std::make_shared<attempt>(number);
    auto running = run_handlers(mine, message, letter, last);
    co_await std::move(running);
    if (!last->is_accepted) co_return stays("its component is closed, or has a full mailbox");
    const settlement next =
        settle(last->result, last->ran, number, rule, msgbus::detail::random_part());
    if (last->is_decoded && next.action == settling::ack) {
      auto removing = remove(mine, replay_end::handled);
      replay_result result = co_await std::move(removing);
      co_return result;
    }
    if (!last->is_decoded || next.action == settling::dead_letter) {
      auto ending = give_up(mine, letter, message, *last);
      replay_result result = co_await std::move(ending);
      co_return result;
    }
    if (last->result == outcome::dropped) co_return stays("a full mailbox has dropped it");
    if (last->result == outcome::abandoned) co_return stays("it was abandoned by its component");
    const auto pause = mine->begin_pause();
    auto pausing = exec::wait_for(pause, next.delay, "replay");
    co_await std::move(pausing);
    if (mine->is_stopped()) {
      co_return stays("its link was cancelled after attempt " + std::to_string(number) +
                      ", which failed: " + last->reason);
    }
  }
}

asio::awaitable<void> replay_server::run_handlers(std::shared_ptr<replay> mine,
                                                  const envelope& message,
                                                  const stored_dead_letter& letter,
                                                  std::shared_ptr<attempt> into) {
  auto offering = offer(mine, message, letter, into);
  const bool is_under_way = co_await std::move(offering);
  while (is_under_way && !into->is_set()) {
    try {
      co_await into->wait();
    } catch (const std::bad_alloc&) {
      continue;  // the component handles the message
    }
  }
}

// In a coroutine of its own: when it has completed, only the component has the message.
asio::awaitable<bool> replay_server::offer(std::shared_ptr<replay> mine, const envelope& message,
                                           const stored_dead_letter& letter,
                                           std::shared_ptr<attempt> into) {
  const receiving_end& to = mine->of->to_;
  exec::shared_message made;
  try {
    headers all = message.headers;
    std::shared_ptr<origin> from = origin_of(std::move(all), into->number, letter.message_id);
    from->stream = mine->of->stream_;
    from->sequence = letter.sequence;
    const std::string_view topic = to.with_topic ? message.topic : std::string_view();
    made = read(to.decoders, {message, topic, std::move(from), std::make_shared<told_there>(into)});
  } catch (...) {
    into->is_decoded = false;
    into->reason = describe(std::current_exception());
  }
  if (!made) co_return false;
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::send_operation out(std::move(made));
  const receipt given = co_await async::detail::send_to(*to.component, out, here);
  into->is_accepted = given.admitted != 0;
  co_return into->is_accepted;
}

asio::awaitable<replay_result> replay_server::remove(std::shared_ptr<replay> mine, replay_end end) {
  mine->of->replayed_.fetch_add(1, std::memory_order_relaxed);
  replay_result result{end, {}};
  try {
    auto removing = mine->of->hub_->wire->erase(mine->position.stream, mine->position.sequence);
    (void)co_await std::move(removing);
  } catch (...) {
    const char* const done = end == replay_end::handled
                                 ? "it was handled"
                                 : "it failed again, and another one is stored";
    result =
        stays(std::string(done) + ", but cannot be removed: " + describe(std::current_exception()));
  }
  co_return result;
}

asio::awaitable<replay_result> replay_server::give_up(std::shared_ptr<replay> mine,
                                                      const stored_dead_letter& letter,
                                                      const envelope& message,
                                                      const attempt& last) {
  const durable_options& options = mine->of->options_;
  const given_up details{letter.stream, letter.durable, letter.sequence, letter.message_id,
                         last.number,   last.reason,    letter.id};
  // One that lacks a part of the message must not replace this one.
  auto storing = store_dead_letter(mine->of->hub_->wire, options.dead_letter, message, details,
                                   options.ack_wait / 2, extent::short_reason);
  const dead_letter_result stored = co_await std::move(storing);
  const std::string failed = "it failed again: " + last.reason;
  if (!stored.where) {
    co_return stays(failed + "; that dead letter cannot be stored: " + describe(stored.failure));
  }
  // The stream remembers the id of one that may have been removed meanwhile.
  if (stored.where->duplicate) {
    co_return stays(failed + "; an earlier replay has stored a dead letter for that");
  }
  auto removing = remove(mine, replay_end::failed);
  replay_result result = co_await std::move(removing);
  co_return result;
}

}  // namespace msgbus::bridging
