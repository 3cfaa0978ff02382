#include <msgbus/durable/transaction.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

#include "durable/database_core.hpp"
#include "durable/schema.hpp"
#include "durable/session.hpp"
#include "durable/unit.hpp"

#include <asio/this_coro.hpp>

#include <span>

namespace msgbus::durable {

namespace detail {

void unit::run(outbox& in) {
  step("insert: before");
  for (const statement& each : statements) (void)in.file().run_of_user(each);
  for (message_row& each : messages) in.insert(each);
  step("insert: after");
}

void unit::committed(exec::event_batch& waiting) noexcept {
  core_.count(core_.transactions);
  core_.count(core_.dispatched, messages.size());
  if (interactive) {
    core_.count(core_.commits_alone);
    core_.deliver(std::move(messages));  // its session does not keep the unit
  } else {
    core_.deliver(std::span(messages));
  }
  waiting.set(ended.done);
}

void unit::failed(const std::exception_ptr& why) noexcept {
  core_.count(core_.refused);
  ended.end(why);
}

}  // namespace detail

namespace {

template <class... Args>
std::vector<value> values_of(Args&&... args) {
  std::vector<value> made;
  (made.push_back(detail::as_value(std::forward<Args>(args))), ...);
  return made;
}

}  // namespace

transaction::transaction(std::shared_ptr<detail::database_core> in,
                         std::shared_ptr<detail::unit> collected) noexcept
    : core_(std::move(in)), unit_(std::move(collected)) {}

transaction::~transaction() = default;

void transaction::add_statement(std::string_view sql, std::vector<value> values) {
  unit_->statements.push_back({std::string(sql), std::move(values)});
}

void transaction::add_message(std::string_view type, payload made,
                              std::optional<std::chrono::system_clock::time_point> when) {
  core_->add_messages(*unit_, type, std::move(made), when);
}

asio::awaitable<bool> transaction::once(const context& of, std::string_view consumer) {
  if (of.message_id().empty()) {
    throw error(errc::bad_arguments,
                "transaction::once for '" + std::string(consumer) +
                    "' needs a message with an id; this one was sent in this process, and is "
                    "delivered once anyway");
  }
  if (consumer.empty()) throw error(errc::bad_arguments, "transaction::once needs a name");
  return note(std::string(of.message_id()), std::string(consumer));
}

asio::awaitable<bool> transaction::note(std::string id, std::string consumer) {
  const auto now = std::chrono::system_clock::now();
  const auto keep =
      std::chrono::duration_cast<detail::wall_clock::duration>(core_->options().keep_handled);
  const std::int64_t time = detail::to_file(now);
  auto asking = run_query(
      detail::with_prefix("insert into %inbox (id, consumer, received_at, handled_at, keep_until)"
                          " values (?, ?, ?, ?, ?) on conflict do nothing returning 1",
                          core_->options().prefix),
      values_of(std::move(id), std::move(consumer), time, time,
                detail::to_file(msgbus::detail::saturating_add(now, keep))));
  const std::vector<row> rows = co_await std::move(asking);
  co_return !rows.empty();
}

asio::awaitable<std::vector<row>> transaction::run_query(std::string sql,
                                                         std::vector<value> values) {
  auto asked = std::make_shared<detail::query_request>();
  asked->before = std::exchange(unit_->statements, {});
  asked->query.sql = std::move(sql);
  asked->query.values = std::move(values);
  if (!unit_->interactive) {
    unit_->interactive = std::make_shared<detail::session>(core_->options().transaction_timeout);
    unit_->interactive->ask(asked);
    (void)core_->submit(unit_->interactive);
  } else {
    unit_->interactive->ask(asked);
  }
  co_await asked->ended.done.wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "query");
  if (asked->ended.failure) std::rethrow_exception(asked->ended.failure);
  co_return std::move(asked->rows);
}

}  // namespace msgbus::durable
