#include <msgbus/durable/database.hpp>

#include <msgbus/async/explain.hpp>
#include <msgbus/async/shielded.hpp>
#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

#include "durable/database_core.hpp"
#include "durable/destination.hpp"
#include "durable/read_request.hpp"
#include "durable/schema.hpp"
#include "durable/session.hpp"
#include "observe/graph_builder.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <iterator>

namespace msgbus::durable {

namespace detail {

void add_route(database_core& in, std::string name, const bridging::message_decoder& reads,
               route_target to) {
  in.add_route(std::move(name), reads, std::move(to));
}

std::shared_ptr<unit> begin(database_core& in) { return std::make_shared<unit>(in); }

bool is_empty(const unit& of) noexcept { return !of.interactive && of.is_empty(); }

abandon_at_end::~abandon_at_end() {
  if (of->interactive) of->interactive->give_up();
}

// A coroutine: for a caller that is cancelled already, whose `co_await` throws, nothing is
// submitted. It waits for the end, also if the caller is cancelled meanwhile.
asio::awaitable<void> finish(database_core& in, std::shared_ptr<unit> of) {
  if (of->interactive) {
    of->interactive->commit(of);
  } else {
    (void)in.submit(of);
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) {
    auto waiting = async::shielded(of->ended.done.wait());
    co_await std::move(waiting);
  } else {
    while (!of->ended.done.is_set()) {
      try {
        co_await of->ended.done.wait();
      } catch (const std::bad_alloc&) {
        continue;  // the transaction is in the hands of the writer
      }
    }
  }
  if (of->ended.failure) std::rethrow_exception(of->ended.failure);
}

void destination::add_to(msgbus::detail::graph_builder& to, const void* database) const {
  graph::component& made = to.component(this, "route");
  made.name = name_;
  made.detail = "at least once";
  graph::channel out{.topic = name_, .sends = true};
  {
    const std::lock_guard lock(mutex_);
    made.closed = stopped_;
    for (const bridging::message_decoder& each : *decoders_) {
      made.detail += (out.messages.empty() ? ": " : ", ") + std::string(each.type);
      out.messages.push_back(bridging::message_of({each.type, each.content_type}, encoding::json));
    }
  }
  if (to_.stream) made.channels = {std::move(out)};
  to.bind(database, this);
  if (to_.consumer) {
    to_.consumer->describe_to(to, {});
    to.bind(this, to_.consumer.get());
  } else if (const auto over = to_.bridge.lock()) {
    to_.describe_bridge(to, {});
    to.bind(this, over.get());
  }
}

}  // namespace detail

explanation detail::explain_event(const database& from, msgbus::detail::type_key type,
                                  std::string_view name) {
  explanation made;
  made.question = std::string(name) + ", dispatched by a transaction";
  bool has_route = false;
  for (const auto& each : from.core_->destinations()) {
    has_route = each->explain(made, type, name) || has_route;
  }
  if (!has_route) made.notes.emplace_back("it has no route: to dispatch it throws no_handler");
  return made;
}

bool detail::destination::explain(explanation& to, msgbus::detail::type_key type,
                                  std::string_view named) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(*decoders_, named, &bridging::message_decoder::type);
    if (found == decoders_->end()) return false;
    if (stopped_)
      to.notes.push_back("the route '" + name_ + "' is drained: the message waits in the file");
  }
  if (!to_.consumer) {
    to.notes.push_back("the route '" + name_ + "' stores it in the stream of that topic");
    return true;
  }
  explanation there = async::detail::explain_event(
      static_cast<const async::detail::consumer_core&>(*to_.consumer), type);
  to.notes.push_back("the route '" + name_ + "' delivers it at least once, to " +
                     to_.consumer->called().text());
  if (!there.arrives()) {
    to.notes.push_back("no handler of the route '" + name_ +
                       "' takes it: it is delivered again, and then becomes a dead letter");
  }
  std::ranges::move(there.run, std::back_inserter(to.run));
  std::ranges::move(there.others, std::back_inserter(to.others));
  std::ranges::move(there.notes, std::back_inserter(to.notes));
  return true;
}

database::database(std::shared_ptr<detail::database_core> made) noexcept : core_(std::move(made)) {}

database::~database() { core_->stop(); }

asio::awaitable<bool> database::drain(std::chrono::steady_clock::duration deadline) {
  return detail::database_core::drain(core_, deadline);
}

counters database::stats() const { return core_->stats(); }

namespace {

struct opening {
  detail::completion ended;
};

}  // namespace

asio::awaitable<std::vector<row>> database::run_query(std::shared_ptr<detail::database_core> in,
                                                      std::string sql, std::vector<value> values) {
  return detail::read<std::vector<row>>(
      std::move(in), "query",
      [asked = detail::statement{std::move(sql), std::move(values)}](detail::connection& from) {
        return from.run_of_user(asked);
      });
}

asio::awaitable<file_status> database::status() {
  return detail::read<file_status>(core_, "status",
                                   [prefix = core_->options().prefix](detail::connection& in) {
                                     return detail::read_status(in, prefix);
                                   });
}

namespace {

/// A database in a host. Keeps none.
class hosted_database final : public async::detail::host_member {
 public:
  hosted_database(std::string name, const std::shared_ptr<detail::database_core>& of)
      : host_member(std::move(name), "database"), core_(of) {}

  [[nodiscard]] bool exists() const noexcept override { return !core_.expired(); }
  [[nodiscard]] asio::awaitable<drain_report> drain(duration deadline) override {
    return drain(core_.lock(), deadline);
  }
  [[nodiscard]] std::optional<async::detail::store_stats> store() const override {
    const auto now = core_.lock();
    if (!now) return std::nullopt;
    return now->figures();
  }
  void describe(msgbus::detail::graph_builder& to) const override {
    const auto now = core_.lock();
    if (!now) return;
    graph::component& made = to.component(now.get(), "database");
    if (made.name.empty()) made.name = name();
    if (!to.describe(now.get())) return;
    for (const auto& each : now->destinations()) each->add_to(to, now.get());
  }

 private:
  static asio::awaitable<drain_report> drain(std::shared_ptr<detail::database_core> of,
                                             duration deadline) {
    drain_report made;
    if (!of) co_return made;
    const counters before = of->stats();
    auto draining = detail::database_core::drain(of, deadline);
    const bool is_done = co_await std::move(draining);
    const counters after = of->stats();
    made.handled = after.delivered - before.delivered;
    made.failed = after.retried + after.dead_lettered - before.retried - before.dead_lettered;
    if (!is_done) made.abandoned = after.in_flight;
    co_return made;
  }

  const std::weak_ptr<detail::database_core> core_;
};

}  // namespace

msgbus::detail::describer database::describer() const {
  return [of = std::weak_ptr(core_)](msgbus::detail::graph_builder& to, std::string_view name) {
    if (const auto now = of.lock()) hosted_database(std::string(name), now).describe(to);
  };
}

std::shared_ptr<async::detail::host_member> database::hosted(std::string name) const {
  return std::make_shared<hosted_database>(std::move(name), core_);
}

asio::awaitable<std::shared_ptr<database>> open(asio::any_io_executor executor,
                                                open_options options) {
  auto made = std::make_shared<detail::database_core>(std::move(executor), std::move(options));
  auto begun = std::make_shared<opening>();
  made->start([begun](const std::exception_ptr& why_not) { begun->ended.end(why_not); });
  co_await begun->ended.done.wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "open");
  if (begun->ended.failure) std::rethrow_exception(begun->ended.failure);
  co_return std::make_shared<database>(std::move(made));
}

}  // namespace msgbus::durable
