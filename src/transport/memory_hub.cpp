#include "transport/memory_hub.hpp"

#include <msgbus/error.hpp>

#include <utility>

namespace msgbus::transport::memory {

hub_lock::hub_lock(std::shared_ptr<hub> of) : hub_(std::move(of)), lock_(hub_->mutex_) {}

// --- The connections. ----------------------------------------------------------------------------

std::shared_ptr<connection> hub::connect(asio::any_io_executor executor, memory_options options) {
  std::shared_ptr<connection> made;
  {
    hub_lock lock(shared_from_this());
    made = std::make_shared<connection>(shared_from_this(), next_number(), std::move(executor),
                                        std::move(options));
    connections_.emplace(made->number(), made.get());
    if (all_away_) made->set_away(lock, true);
  }
  made->open();
  return made;
}

void hub::set_away(bool away) {
  hub_lock lock(shared_from_this());
  all_away_ = away;
  // All connections are back before the first one sends its kept messages.
  for (const auto& [number, each] : connections_) each->set_away(lock, away);
  for (const auto& [number, each] : connections_) each->catch_up(lock);
  hand_out_all();
}

void hub::set_away(connection& one, bool away) {
  hub_lock lock(shared_from_this());
  if (one.closed()) return;
  one.set_away(lock, away);
  one.catch_up(lock);
  hand_out_all();
}

time_point hub::now(const connection& by) {
  time_.follow(exec::installed_clock(by.executor()));
  return time_.now();
}

void hub::remove(connection& closed, hub_lock& lock) {
  connections_.erase(closed.number());
  std::vector<std::shared_ptr<feed_end>> feeds;
  for (const auto& [number, each] : feeds_) {
    if (&each->of() == &closed) feeds.push_back(each);
  }
  for (const auto& each : feeds) {
    each->stop(lock);
    lock.drop(each);
  }
  for (const auto& each : sources_of(closed)) {
    each->end(lock, std::make_exception_ptr(
                        error(errc::closed, "msgbus: " + closed.describe() +
                                                " is closed, and delivers no more of the stream '" +
                                                each->from().stream->name() + "'")));
    lock.drop(each);
  }
  for (const auto& [name, stream] : streams_) {
    for (const auto& [durable, state] : stream->durables()) state->abandon(closed.number());
  }
  hand_out_all();
}

void hub::hold_all_of(const connection& owner, bool in_progress) {
  const time_point at = now(owner);
  for (const auto& [name, stream] : streams_) {
    for (const auto& [durable, state] : stream->durables()) {
      state->set_away(owner.number(), !in_progress, at);
    }
  }
}

// --- Subscriptions and sources. ------------------------------------------------------------------

void hub::add(std::shared_ptr<feed_end> added, std::string pattern, std::string group) {
  router_.add(added->number(), added->of().number(), std::move(pattern), std::move(group));
  const std::uint64_t number = added->number();
  feeds_.emplace(number, std::move(added));
}

void hub::add(std::shared_ptr<source_end> added) {
  added->from().state->join(added->number(), added->of().number());
  added->set_away(added->of().away());
  const std::uint64_t number = added->number();
  sources_.emplace(number, std::move(added));
}

void hub::remove(const feed_end& removed) {
  router_.remove(removed.number());
  feeds_.erase(removed.number());
}

void hub::remove(const source_end& removed) { sources_.erase(removed.number()); }

std::vector<std::shared_ptr<source_end>> hub::sources_of(const connection& owner) const {
  std::vector<std::shared_ptr<source_end>> found;
  for (const auto& [number, each] : sources_) {
    if (&each->of() == &owner) found.push_back(each);
  }
  return found;
}

void hub::interrupt_feeds_of(const connection& owner) {
  for (const auto& [number, each] : feeds_) {
    if (&each->of() == &owner) each->interrupt();
  }
}

// --- Messages. -----------------------------------------------------------------------------------

std::optional<stored> hub::send(connection& from, const message& one, bool to_itself) {
  const auto listeners = router_.route(one->topic, [&](std::uint64_t consumer) {
    return (to_itself || consumer != from.number()) && !connections_.at(consumer)->away();
  });
  for (const auto each : listeners) feeds_.at(each)->push(one);

  std::optional<stored> kept;
  for (const auto& [name, stream] : streams_) {
    if (!stream->takes(one->topic)) continue;
    kept = stream->store(one, now(from));
    for (const auto& [durable, state] : stream->durables()) hand_out({stream, state});
  }

  if (listeners.empty() && !kept && !one->reply_to.empty()) {
    auto nobody = std::make_shared<envelope>();
    nobody->topic = one->reply_to;
    nobody->headers.emplace(header::status, "503");
    const auto asking = router_.route(nobody->topic, [&](std::uint64_t consumer) {
      return consumer == from.number() && !from.away();
    });
    for (const auto each : asking) feeds_.at(each)->push(nobody);
  }
  return kept;
}

std::shared_ptr<memory_stream> hub::find_stream(const std::string& name) const {
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second;
}

memory_stream& hub::stream_of(const std::string& name) const {
  if (const auto found = find_stream(name)) return *found;
  throw error(errc::transport_failed, "msgbus: there is no stream '" + name + "'");
}

void hub::ensure_stream(stream_options wanted) {
  for (const auto& [name, other] : streams_) {
    if (name == wanted.name) continue;
    for (const std::string& each : wanted.topics) {
      if (!other->overlaps(each)) continue;
      throw error(errc::transport_failed, "msgbus: the stream '" + wanted.name +
                                              "' cannot have the topics '" + each +
                                              "': the stream '" + name + "' has some of them");
    }
  }
  if (const auto there = find_stream(wanted.name)) {
    there->add_topics(wanted.topics);
    return;
  }
  const std::string name = wanted.name;
  streams_.emplace(name, std::make_shared<memory_stream>(std::move(wanted)));
}

durable_ref hub::find_durable(const pull_options& which) {
  const auto stream = find_stream(which.stream);
  if (!stream) {
    throw error(errc::transport_failed, "msgbus: there is no stream '" + which.stream + "'");
  }
  if (auto there = stream->find(which.durable)) {
    if (there->filter() != which.filter) {
      throw error(errc::transport_failed,
                  "msgbus: the durable '" + which.durable + "' of the stream '" + which.stream +
                      "' has the filter '" + there->filter() + "', not '" + which.filter + "'");
    }
    there->set_ack_wait(which.ack_wait);
    return {stream, std::move(there)};
  }
  if (!which.filter.empty() && !stream->overlaps(which.filter)) {
    throw error(errc::transport_failed, "msgbus: the stream '" + which.stream +
                                            "' has no topics that match '" + which.filter + "'");
  }
  return {stream, stream->make(which.durable, which.filter, which.ack_wait)};
}

void hub::hand_out(const durable_ref& from) {
  const time_point at = now();
  while (auto given = from.stream->next(*from.state, at)) {
    sources_.at(given->to)->push(std::move(*given));
  }
  for (const auto& [number, each] : sources_) {
    if (each->from().state == from.state) each->wait_for_due(at);
  }
}

void hub::hand_out_all() {
  for (const auto& [name, stream] : streams_) {
    for (const auto& [durable, state] : stream->durables()) hand_out({stream, state});
  }
}

}  // namespace msgbus::transport::memory
