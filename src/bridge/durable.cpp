// A durable link: takes deliveries, passes them on, settles them, and requests more.

#include "bridge/durable_link.hpp"

#include <msgbus/topic.hpp>

#include "observe/graph_builder.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::bridging {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_unasked = 1ms;

}  // namespace

asio::awaitable<void> durable_link::start(std::shared_ptr<durable_link> self, std::string pattern) {
  transport::pull_options which;
  which.stream = self->options_.stream;
  which.durable = self->options_.durable;
  self->messages = {{pattern}, types_of(self->to_.decoders)};
  self->group = self->options_.durable;
  which.filter = std::move(pattern);
  which.ack_wait = self->options_.ack_wait;
  auto found = self->hub_->wire->pull(std::move(which), self);
  self->source_ = co_await std::move(found);
  if (!self->options_.dead_letter.empty()) self->serve_replays();
  launch(self->hub_, self->hub_->executor(), self->name(), pump(pump_end(self)));
  self->source_->ask(self->window_);
}

void durable_link::cancel() noexcept {
  if (!deactivate()) return;
  if (source_) source_->stop();
  stop_replays();
  if (hub_->executor()) {
    arrived_.close();  // deliveries in it are still handled
  } else {
    arrived_.discard();  // the coroutine that takes has gone with its context, or never began
  }
}

link_counters durable_link::stats() const noexcept {
  link_counters all;
  all.received = read_count(received_);
  all.redelivered = read_count(redelivered_);
  all.admitted = read_count(admitted_);
  all.undecodable = read_count(undecodable_);
  all.refused = read_count(refused_);
  all.acks = read_count(acks_);
  all.naks = read_count(naks_);
  all.dead_lettered = read_count(dead_lettered_);
  all.unsettled = read_count(unsettled_);
  all.shortened = read_count(shortened_);
  if (replays_) all.replayed = replays_->replayed();
  const std::lock_guard lock(mutex_);
  all.in_flight = held_;
  return all;
}

void durable_link::add_to(msgbus::detail::graph_builder& to, const void* over) const {
  describe_inbound(to, over, "inbound, at least once", *to_.component);
  if (options_.dead_letter.empty()) return;
  graph::channel letters{.topic = options_.dead_letter, .sends = true};
  for (const auto& each : to_.decoders) {
    letters.messages.push_back(message_of({each.type, each.content_type}, encoding::json));
  }
  to.component(this, "link").channels.push_back(std::move(letters));
}

void durable_link::take(std::unique_ptr<transport::delivery> received) noexcept {
  add(received_);
  // A position that is not above the last one has come before, also where a server that was killed
  // meanwhile counts it as the first delivery.
  const bool came_before = received->sequence <= last_place_;
  last_place_ = std::max(last_place_, received->sequence);
  if (came_before || received->times > 1) add(redelivered_);
  auto mine = std::allocate_shared<tracked>(shared_block_allocator<tracked>(), shared_from_this(),
                                            std::move(received), came_before);
  if (!arrived_.put(std::move(mine), false)) add(refused_);  // `~tracked` gives it back
}

asio::awaitable<void> durable_link::pump(pump_end end) {
  const std::shared_ptr<durable_link> self = end.of;
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const transport::receive_queue<std::shared_ptr<tracked>>::taker taking(self->arrived_);
  const exec::wait_group::task pumping(self->hub_->busy);
  for (;;) {
    std::vector<std::shared_ptr<tracked>> batch = co_await self->arrived_.take();
    if (batch.empty()) {
      self->stop_replays();
      co_return;
    }
    for (std::shared_ptr<tracked>& each : batch) {
      const std::shared_ptr<tracked> mine = std::move(each);
      const exec::shared_message message = self->decoded(mine);
      if (!message) continue;
      exec::send_operation out(message);
      const receipt given = co_await async::detail::send_to(*self->to_.component, out, here);
      if (given.admitted != 0) {
        add(self->admitted_);
        continue;
      }
      add(self->refused_);
      mine->settled(self->to_.component->closed() ? outcome::abandoned : outcome::dropped, 0, {});
    }
    if (self->to_.component->closed()) self->cancel();
  }
}

exec::shared_message durable_link::decoded(const std::shared_ptr<tracked>& mine) noexcept {
  std::string why;
  try {
    why = mine->why_not();
    if (why.empty()) {
      shared_origin origin = mine->take_origin();
      const std::string_view topic = to_.with_topic ? mine->message().topic : std::string_view();
      return read(to_.decoders, {mine->message(), topic, std::move(origin), mine});
    }
  } catch (...) {
    why = describe(std::current_exception());
    hub_->failed(name(), std::current_exception());
  }
  add(undecodable_);
  mine->give_up(std::move(why));
  return nullptr;
}

void durable_link::settle(leaving one) noexcept {
  transport::delivery& received = *one.delivery;
  switch (one.decision.action) {
    case settling::ack: counted(received.ack(), acks_); break;
    case settling::nak: counted(received.nak(one.decision.delay), naks_); break;
    case settling::dead_letter:
      if (options_.dead_letter.empty()) {
        end_without_dead_letter(one, {});
      } else if (hub_->executor()) {
        launch(hub_, hub_->executor(), name(),
               move_to_dead_letters(shared_from_this(), std::move(one)));
        return;
      } else {
        keep_for_later(one);  // its context has ended, so nobody can store the dead letter
      }
  }
  one_less();
}

void durable_link::one_less() noexcept {
  refill::action next = refill::action::wait;
  {
    const std::lock_guard lock(mutex_);
    --held_;
    if (active()) next = refill_.settled(held_);
  }
  if (next == refill::action::ask) ask_for_more();
  if (next == refill::action::ask_after_pause) ask_soon();
}

void durable_link::ask_for_more() noexcept {
  std::size_t more = 0;
  {
    const std::lock_guard lock(mutex_);
    more = refill_.take();
  }
  if (more != 0 && active()) source_->ask(more);
}

void durable_link::ask_soon() {
  asking_.start(longest_unasked, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard lock(self->mutex_);
      self->refill_.paused();
    }
    self->ask_for_more();
  });
}

asio::awaitable<std::shared_ptr<link_base>> join_durable(std::shared_ptr<hub> over,
                                                         receiving_end to, std::string pattern,
                                                         durable_options options) {
  if (!options.dead_letter.empty()) check_topic(options.dead_letter);
  std::string name = "durable " + options.durable + " of stream " + options.stream;
  if (!pattern.empty()) name += " (" + pattern + ")";
  auto made = std::make_shared<durable_link>(std::move(over), std::move(name), std::move(to),
                                             std::move(options));
  co_await durable_link::start(made, std::move(pattern));
  co_return made;
}

}  // namespace msgbus::bridging
