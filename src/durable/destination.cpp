#include "durable/destination.hpp"

#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/bridge/settle.hpp>

#include "bridge/dead_letter.hpp"
#include "core/text.hpp"
#include "durable/database_core.hpp"
#include "durable/jobs.hpp"
#include "policy/backoff.hpp"

#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::durable::detail {

namespace {

constexpr std::size_t longest_reason = 2000;
constexpr std::size_t most_unmarked = 256;
constexpr auto longest_store = std::chrono::seconds(10);  // with the transport's own repetitions

}  // namespace

/// A message on its way, until its outcome is known. Destroyed without an outcome, the message
/// stays in the file for the next start.
class destination::tracked final : public exec::outcome_listener {
 public:
  tracked(std::shared_ptr<destination> of, const message_row& row)
      : of_(std::move(of)), busy_(of_->busy_), seq_(row.seq), attempts_(row.attempts) {}

  [[nodiscard]] const std::shared_ptr<destination>& of() const noexcept { return of_; }

  void settled(outcome result, std::size_t ran, const failures& failed) noexcept override {
    step("delivery: after");
    of_->settle(seq_, attempts_, result, ran, failed);
  }

 private:
  const std::shared_ptr<destination> of_;
  const exec::wait_group::task busy_;
  const std::int64_t seq_;
  const std::int64_t attempts_;
};

void destination::stop() noexcept {
  std::vector<key_lines::entry> waited;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  queue_.clear();
  if (lines_) waited = lines_->end();
}

std::size_t destination::in_flight() const {
  const std::lock_guard lock(mutex_);
  return window_.held();
}

void destination::start_locked() {
  if (pumping_ || stopped_) return;
  const std::shared_ptr<database_core> in = core_.lock();
  if (!in) return;
  pumping_ = in->launch("the deliveries to '" + name_ + "'", pump(shared_from_this()));
}

/// False: there is nothing to do, and the pump has ended.
bool destination::take(std::vector<message_row>& batch) {
  const std::lock_guard lock(mutex_);
  batch.clear();
  if (!stopped_) batch.swap(queue_);
  pumping_ = !batch.empty() || (!stopped_ && lines_ && lines_->is_any_ready());
  return pumping_;
}

asio::awaitable<void> destination::pump(std::shared_ptr<destination> self) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  std::vector<message_row> batch;
  while (self->take(batch)) {
    for (message_row& row : batch) {
      try {
        std::optional<key_lines::entry> waits = self->handle(row, here);
        if (!waits) continue;
        auto sending = self->send(std::move(*waits));
        co_await std::move(sending);
      } catch (...) {
        self->not_sent(row.seq, row.attempts, std::current_exception());
      }
    }
    auto sending = self->send_first_of_lines();
    co_await std::move(sending);
  }
}

std::optional<key_lines::entry> destination::handle(message_row& row,
                                                    const asio::any_io_executor& here) {
  auto mine = begin(row);
  if (!mine) return std::nullopt;
  if (to_.stream) {
    step("delivery: before");
    begin_store(std::move(mine), row, here);
    return std::nullopt;
  }
  key_lines::entry one{row.seq, row.attempts, {}};
  try {
    one.message = decoded(row, std::move(mine));
  } catch (const std::exception& e) {
    give_up(row.seq, row.attempts, shortened(e.what(), longest_reason));
    return std::nullopt;
  }
  if (enqueue(row, one.message) || send_now(one)) return std::nullopt;
  return one;
}

bool destination::enqueue(const message_row& row, exec::shared_message& message) {
  exec::keyed_ptr key = to_.consumer->key_for(message->message(), {});
  if (!key) return false;
  key_lines::entry added{row.seq, row.attempts, message};
  message.reset();  // without the lock: its destructor may run here
  bool is_in_memory = true;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return true;
    if (!lines_) lines_ = std::make_unique<key_lines>(window_.size() / 4);
    const bool comes_back = lines_->is_on_its_way(row.seq);
    if (comes_back) {
      message = std::move(added.message);
      return false;
    }
    is_in_memory = lines_->add(std::move(key), added);
    if (!is_in_memory) window_.gone(row.seq);
  }
  if (is_in_memory) return true;
  // The window has space again, for other keys.
  if (const std::shared_ptr<database_core> in = core_.lock()) in->load_more(shared_from_this());
  return true;
}

std::optional<key_lines::entry> destination::take_of_lines() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || !lines_) return std::nullopt;
  return lines_->take();
}

asio::awaitable<void> destination::send_first_of_lines() {
  for (;;) {
    std::optional<key_lines::entry> first = take_of_lines();
    if (!first) co_return;
    const std::int64_t seq = first->seq;
    const std::int64_t attempts = first->attempts;
    try {
      if (send_now(*first)) continue;
      auto sending = send(std::move(*first));
      co_await std::move(sending);
    } catch (...) {
      not_sent(seq, attempts, std::current_exception());
    }
  }
}

void destination::leave_line(std::int64_t seq) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || !lines_ || !lines_->is_on_its_way(seq)) return;
    lines_->done(seq);
    if (lines_->is_any_ready()) start_locked();
    if (!lines_->wants_load()) return;
  }
  if (const std::shared_ptr<database_core> in = core_.lock()) in->load_more(shared_from_this());
}

std::optional<std::string> destination::key_in_line(std::int64_t seq) const {
  const std::lock_guard lock(mutex_);
  if (!lines_ || !lines_->is_on_its_way(seq)) return std::nullopt;
  return std::to_string(lines_->hash_of(seq));
}

std::shared_ptr<destination::tracked> destination::begin(const message_row& row) {
  const std::lock_guard lock(
      mutex_);  // a drain that stops deliveries counts this one, or it is none
  return stopped_ ? nullptr : std::make_shared<tracked>(shared_from_this(), row);
}

void destination::not_sent(std::int64_t seq, std::int64_t attempts,
                           const std::exception_ptr& why) noexcept {
  if (const std::shared_ptr<database_core> in = core_.lock()) in->report("a delivery", why);
  settle(seq, attempts, outcome::dropped, 0, {});
}

bool destination::send_now(key_lines::entry& one) {
  step("delivery: before");
  exec::send_operation out(std::move(one.message));
  async::detail::component_core& to = *to_.consumer;
  const exec::put result = async::detail::offer(to, out);
  if (result == exec::put::full && async::detail::waits_when_full(to)) {
    one.message = std::move(out.shared());
    return false;
  }
  const receipt given = async::detail::receipt_for(result, to, out);
  if (given.admitted == 0) {
    settle(one.seq, one.attempts, to.closed() ? outcome::abandoned : outcome::dropped, 0, {});
  }
  return true;
}

asio::awaitable<void> destination::send(key_lines::entry one) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::send_operation out(std::move(one.message));
  async::detail::component_core& to = *to_.consumer;
  auto sending = async::detail::send_to(to, out, here);
  const receipt given = co_await std::move(sending);
  if (given.admitted != 0) co_return;
  settle(one.seq, one.attempts, to.closed() ? outcome::abandoned : outcome::dropped, 0, {});
}

// Many are on their way at a time, as many as the window holds; they begin in order.
void destination::begin_store(std::shared_ptr<tracked> mine, message_row& row,
                              const asio::any_io_executor& here) {
  envelope message{.topic = name_, .headers = headers_for(row), .payload = std::move(row.body)};
  auto ended = [of = mine->of()](const std::exception_ptr& why) {
    if (!why) return;
    const std::string where = "storing a message on '" + of->name_ + "'";
    if (const auto in = of->core_.lock()) in->report(where.c_str(), why);
  };
  asio::co_spawn(here, store(std::move(mine), std::move(message)), std::move(ended));
}

asio::awaitable<void> destination::store(std::shared_ptr<tracked> one, envelope message) {
  failures failed;
  outcome result = outcome::handled;
  try {
    auto storing = one->of()->to_.stream->store(std::move(message), longest_store);
    (void)co_await std::move(storing);
  } catch (const error& e) {
    // A server that is away says nothing about the message, and uses up no attempt.
    const bool is_away = e.code() == errc::disconnected || e.code() == errc::timed_out;
    result = is_away ? outcome::dropped : outcome::failed;
    if (e.code() == errc::closed) result = outcome::abandoned;
    failed.add(std::current_exception());
  } catch (...) {
    result = outcome::failed;
    failed.add(std::current_exception());
  }
  one->settled(result, 1, failed);
}

headers destination::headers_for(const message_row& row) {
  headers all = headers_of(row.headers);
  all.add(header::message_id, row.id);
  all.add(header::type, row.type);
  return all;
}

exec::shared_message destination::decoded(message_row& from,
                                          std::shared_ptr<tracked> listener) const {
  std::shared_ptr<const decoders> all;
  {
    const std::lock_guard lock(mutex_);
    all = decoders_;
  }
  const auto times = static_cast<unsigned>(from.attempts + (from.is_taken_over ? 2 : 1));
  shared_origin origin = bridging::origin_of(headers_for(from), times, from.id);
  const envelope bytes{.topic = name_, .payload = std::move(from.body)};
  return bridging::read(*all, {bytes, {}, std::move(origin), std::move(listener)});
}

// The first one of many begins a mark, which takes those that come until it runs.
void destination::mark(std::int64_t seq, database_core& in) {
  std::size_t many = 0;
  {
    const std::lock_guard lock(mutex_);
    handled_.push_back(seq);
    many = handled_.size();
  }
  if (many != 1 && many != most_unmarked) return;
  in.settle(std::make_shared<mark_job>(in, shared_from_this()),
            many == 1 ? writer::urgency::soon : writer::urgency::now);
}

void destination::settle(std::int64_t seq, std::int64_t attempts, outcome result, std::size_t ran,
                         const failures& failed) noexcept {
  const std::shared_ptr<database_core> in = core_.lock();
  if (!in) return;
  const bool is_closed = to_.stream || to_.consumer->closed();
  if (result == outcome::abandoned && is_closed) return;  // for the next start
  if (result == outcome::handled && ran > 0) {
    leave_line(seq);
    mark(seq, *in);
    return;
  }
  const retry& rule = in->options().retry;
  if (bridging::is_failure(result, ran)) {
    ++attempts;
    if (static_cast<std::size_t>(attempts) >= rule.attempts) {
      give_up(seq, attempts,
              ran == 0 && failed.empty() ? "the consumer has no handler for this type"
                                         : bridging::reason_of(failed));
      return;
    }
  }
  const auto pause = bridging::hand_back_pause(
      backoff_before(static_cast<std::size_t>(attempts) + 1, rule, random_part()));
  const auto due = wall_clock::now() + std::chrono::duration_cast<wall_clock::duration>(pause);
  // One with a key comes back to its place; its line waits for it.
  in->settle(settlement_job::again(*in, shared_from_this(), seq, attempts, to_file(due),
                                   key_in_line(seq)));
}

void destination::give_up(std::int64_t seq, std::int64_t attempts, std::string reason) noexcept {
  const std::shared_ptr<database_core> in = core_.lock();
  if (!in) return;
  leave_line(seq);
  in->settle(
      settlement_job::dead_letter(*in, shared_from_this(), seq, attempts, std::move(reason)));
}

}  // namespace msgbus::durable::detail
