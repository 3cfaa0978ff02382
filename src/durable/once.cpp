#include "durable/once.hpp"

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

#include "durable/database_core.hpp"
#include "durable/read_request.hpp"
#include "durable/schema.hpp"

#include <SQLiteCpp/Column.h>
#include <asio/this_coro.hpp>

#include <cstring>
#include <utility>

namespace msgbus::durable::detail {

namespace {

std::string key_of(const exec::once_request& of) {
  std::string key(of.handler);
  key += '\0';  // no name has one
  key += of.message;
  return key;
}

blob bytes_in(const std::string& text) {
  blob made(text.size());
  if (!text.empty()) std::memcpy(made.data(), text.data(), text.size());
  return made;
}

std::optional<handled_before> find_in(connection& in, const std::string& prefix,
                                      const std::string& id, const std::string& handler) {
  SQLite::Statement& find = in.prepared(
      with_prefix("select answer, content_type from %inbox where id = ? and consumer = ?", prefix));
  find.bind(1, id);
  find.bind(2, handler);
  std::optional<handled_before> found;
  while (in.next_row(find)) {
    found.emplace();
    const SQLite::Column type = find.getColumn(1);
    if (type.isNull()) continue;
    found->answer.emplace(exec::kept_answer{bytes_of(find.getColumn(0)), type.getString()});
  }
  return found;
}

}  // namespace

std::shared_ptr<exec::one_shot_event> runs_in_hand::try_take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = taken_.try_emplace(key);
  if (is_new) return nullptr;
  return at->second.emplace_back(std::make_shared<exec::one_shot_event>());
}

void runs_in_hand::release(const std::string& key) noexcept {
  std::vector<std::shared_ptr<exec::one_shot_event>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(key);
    waiting.swap(found->second);
    taken_.erase(found);
  }
  for (const auto& each : waiting) each->set();
}

run_in_hand::run_in_hand(std::shared_ptr<database_core> in, const exec::once_request& of)
    : core_(std::move(in)), key_(key_of(of)) {}

run_in_hand::~run_in_hand() {
  if (is_begun_) core_->once_runs.release(key_);
}

asio::awaitable<void> run_in_hand::begin() {
  for (;;) {
    const std::shared_ptr<exec::one_shot_event> ended = core_->once_runs.try_take(key_);
    is_begun_ = !ended;
    if (is_begun_) co_return;
    co_await ended->wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    exec::throw_if_aborted(state, "once");
  }
}

asio::awaitable<std::optional<handled_before>> find_handled(std::shared_ptr<database_core> in,
                                                            const exec::once_request& of) {
  std::string prefix = in->options().prefix;
  return read<std::optional<handled_before>>(
      std::move(in), "once",
      [prefix = std::move(prefix), id = std::string(of.message), handler = std::string(of.handler)](
          connection& from) { return find_in(from, prefix, id, handler); });
}

void keep_id(const database_core& in, transaction& with, exec::once_request& of) {
  const open_options& options = in.options();
  const auto now = wall_clock::now();
  const auto keep = std::chrono::duration_cast<wall_clock::duration>(options.keep_handled);
  const exec::kept_answer* const answer = of.answer();
  std::optional<blob> bytes;
  std::optional<std::string> type;
  if (answer) {
    bytes = bytes_in(answer->bytes);
    type = answer->content_type;
  }
  with.execute(with_prefix("insert into %inbox (id, consumer, received_at, handled_at, keep_until,"
                           " answer, content_type) values (?, ?, ?, ?, ?, ?, ?)",
                           options.prefix),
               of.message, of.handler, to_file(now), to_file(now),
               to_file(msgbus::detail::saturating_add(now, keep)), std::move(bytes),
               std::move(type));
}

}  // namespace msgbus::durable::detail
