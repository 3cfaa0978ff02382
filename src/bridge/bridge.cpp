#include <msgbus/bridge/bridge.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/error.hpp>

#include "bridge/trace.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus {

bridge::bridge(std::shared_ptr<transport::transport> over, bridge_options options)
    : state_(std::make_shared<state>()) {
  state_->hub = std::make_shared<bridging::hub>(std::move(over), std::move(options.on_failure));
}

bridge& bridge::operator=(bridge&& other) noexcept {
  if (this != &other) {
    if (state_) close();
    state_ = std::move(other.state_);
  }
  return *this;
}

bridge::~bridge() {
  if (state_) close();
}

bridge_link bridge::keep(state& in, std::shared_ptr<bridging::link_base> made) {
  try {
    const std::lock_guard lock(in.mutex);
    if (in.closed) {
      throw error(errc::closed, "the bridge is closed and accepts no link: " + made->name());
    }
    std::erase_if(in.links, [](const auto& each) { return !each->active(); });
    check_events(in, made->events);
    in.links.push_back(made);
  } catch (...) {
    made->cancel();
    throw;
  }
  return bridge_link(std::move(made));
}

void bridge::check_events(const state& in, const std::vector<bridging::event_type>& types) {
  for (const auto& each : in.links) {
    if (each->active()) bridging::check_topics_differ(types, each->events);
  }
}

asio::awaitable<bridge_link> bridge::durable(std::shared_ptr<state> in, bridging::receiving_end to,
                                             std::string pattern,
                                             std::vector<bridging::event_type> events,
                                             durable_options options) {
  {
    const std::lock_guard lock(in->mutex);
    check_events(*in, events);  // before the stream has a durable consumer
  }
  auto joining =
      bridging::join_durable(in->hub, std::move(to), std::move(pattern), std::move(options));
  std::shared_ptr<bridging::link_base> made = co_await std::move(joining);
  made->events = std::move(events);
  co_return keep(*in, std::move(made));
}

asio::awaitable<transport::stored> bridge::store(std::string topic, detail::encoded made,
                                                 std::string_view type,
                                                 const store_options& options) {
  const bridging::outbound_span traced =
      bridging::begin_outbound(*state_->hub, span_kind::producer, "send", topic,
                               context::caused_by(detail::current_origin()));
  envelope out = bridging::make_envelope(state_->hub->ids, std::move(topic), std::move(made),
                                         {.type = type,
                                          .ctx = traced.ctx,
                                          .form = options.form,
                                          .source = options.source,
                                          .message_id = options.message_id,
                                          .is_stored = true});
  for (const auto& [name, value] : options.headers) out.headers.insert_or_assign(name, value);
  if (!options.message_id.empty())
    out.headers.insert_or_assign(header::message_id, options.message_id);
  auto storing = state_->hub->wire->store(std::move(out), options.timeout);
  if (state_->hub->measures()) storing = bridging::measured(state_->hub, std::move(storing));
  return traced.span ? bridging::end_with(traced.span, std::move(storing)) : std::move(storing);
}

std::vector<bridge_link> bridge::links() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<bridge_link> all;
  for (const auto& each : state_->links) {
    if (each->active()) all.emplace_back(each);
  }
  return all;
}

void bridge::close() noexcept { close(*state_); }

void bridge::close(state& in) noexcept {
  std::vector<std::shared_ptr<bridging::link_base>> all;
  {
    const std::lock_guard lock(in.mutex);
    in.closed = true;
    all.swap(in.links);
  }
  for (const auto& each : all) each->cancel();
  in.hub->close();
  in.hub->wire->close();
}

bridge::inbound_counters bridge::count_inbound(const state& in) {
  inbound_counters all;
  const std::lock_guard lock(in.mutex);
  for (const auto& each : in.links) {
    if (each->takes_in()) all.push_back(each->stats());
  }
  return all;
}

asio::awaitable<drain_report> bridge::drain_inbound(std::shared_ptr<state> all,
                                                    std::chrono::steady_clock::duration deadline,
                                                    inbound_counters before) {
  std::vector<std::shared_ptr<bridging::link_base>> in;
  {
    const std::lock_guard lock(all->mutex);
    all->closed = true;
    for (const auto& each : all->links) {
      if (each->takes_in()) in.push_back(each);
    }
  }
  if (before.size() != in.size()) {  // links were added since, or removed
    before.clear();
    for (const auto& each : in) before.push_back(each->stats());
  }
  for (const auto& each : in) each->cancel();
  (void)co_await all->hub->busy->wait_for(deadline);
  drain_report report;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const link_counters after = in[i]->stats();
    const std::uint64_t failed = (after.naks + after.dead_lettered + after.errors) -
                                 (before[i].naks + before[i].dead_lettered + before[i].errors);
    const std::uint64_t answered = after.answered - before[i].answered;
    report.handled += (after.acks - before[i].acks) + answered - (after.errors - before[i].errors);
    report.failed += failed;
    report.abandoned += after.in_flight;
  }
  co_return report;
}

asio::awaitable<drain_report> bridge::drain(std::shared_ptr<state> all,
                                            std::chrono::steady_clock::duration deadline,
                                            drain_options options, inbound_counters counted) {
  using duration = drain_options::duration;
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto until = detail::saturating_add(exec::now(here), deadline);
  const duration grace =
      options.grace_within(deadline);  // the last messages need a part of the time
  const auto left = [&] {
    return std::max(detail::saturating_sub(until, exec::now(here)), duration::zero());
  };
  std::vector<std::shared_ptr<bridging::link_base>> out;
  {
    const std::lock_guard lock(all->mutex);
    all->closed = true;  // a link that is added from here on would not be drained
    for (const auto& each : all->links) {
      if (!each->takes_in()) out.push_back(each);
    }
  }
  std::vector<link_counters> before;
  before.reserve(out.size());
  for (const auto& each : out) before.push_back(each->stats());
  drain_report report = co_await drain_inbound(all, deadline - grace, std::move(counted));
  // Messages that handlers have sent meanwhile still go out.
  for (std::size_t i = 0; i < out.size(); ++i) {
    const drain_report rest =
        co_await out[i]->drain(std::max(left() - grace / 2, duration::zero()));
    const link_counters after = out[i]->stats();
    report.handled += after.sent - before[i].sent;
    report.failed += after.unsent - before[i].unsent;
    report.abandoned += rest.abandoned;
  }
  try {
    co_await all->hub->wire->flush(left());
  } catch (const error&) {
    all->hub->failed("the last flush of the bridge", std::current_exception());
  }
  close(*all);
  co_return report;
}

}  // namespace msgbus
