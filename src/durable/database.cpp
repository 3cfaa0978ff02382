#include <msgbus/durable/database.hpp>

#include <msgbus/async/shielded.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

#include "durable/database_core.hpp"
#include "durable/read_request.hpp"
#include "durable/schema.hpp"
#include "durable/session.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::durable {

namespace detail {

namespace {

/// Waits for the end, also if the caller is cancelled.
template <class Ended>
asio::awaitable<void> wait_to_the_end(std::shared_ptr<Ended> of) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) {
    auto waiting = async::shielded(of->ended.done.wait());
    co_await std::move(waiting);
  } else {
    co_await of->ended.done.wait();
  }
  if (of->ended.failure) std::rethrow_exception(of->ended.failure);
}

}  // namespace

void add_route(database_core& in, std::string name, const bridging::message_decoder& reads,
               route_target to) {
  in.add_route(std::move(name), reads, std::move(to));
}

std::shared_ptr<unit> begin(database_core& in) { return std::make_shared<unit>(in); }

bool is_empty(const unit& of) noexcept { return !of.interactive && of.is_empty(); }

abandon_at_end::~abandon_at_end() {
  if (of->interactive) of->interactive->give_up();
}

asio::awaitable<void> finish(database_core& in, std::shared_ptr<unit> of) {
  if (of->interactive) {
    of->interactive->commit(of);
  } else {
    (void)in.submit(of);
  }
  return wait_to_the_end(std::move(of));
}

}  // namespace detail

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
