#include "durable/database_core.hpp"

#include "core/text.hpp"
#include "durable/schema.hpp"

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/transport/envelope.hpp>

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

namespace msgbus::durable::detail {

namespace {

using namespace std::chrono_literals;

constexpr auto clean_up_every = 1min;

void check_options(const open_options& options) {
  check_prefix(options.prefix);
  const retry& rule = options.retry;
  if (rule.attempts == 0) {
    throw error(errc::bad_arguments,
                "open_options::retry.attempts is 0: a message has one attempt "
                "at least");
  }
  const auto pauses = static_cast<double>(rule.attempts - 1);
  const auto longest = std::chrono::duration<double>(rule.max_backoff) * pauses;
  if (std::chrono::duration<double>(options.keep_handled) < longest) {
    throw error(
        errc::bad_arguments,
        "open_options::keep_handled is shorter than the pauses of open_options::retry can be "
        "together: a message could come again after its id was forgotten");
  }
}

}  // namespace

database_core::database_core(asio::any_io_executor executor, open_options options)
    : options_(std::move(options)),
      executor_(std::move(executor)),
      read_thread_(options_),
      writer_(options_, *this) {
  check_options(options_);
  if (!link(executor_)) executor_ = {};
}

database_core::~database_core() {
  stop();
  unlink_and_release(executor_);
}

void database_core::stop() noexcept {
  for (const auto& each : destinations()) each->stop();
  read_thread_.stop();
  writer_.stop();
}

void database_core::context_ended() noexcept {
  const std::lock_guard lock(executor_mutex_);
  executor_ = {};
}

bool database_core::launch(std::string where, asio::awaitable<void> work) noexcept {
  const std::lock_guard lock(executor_mutex_);
  if (!executor_) return false;
  auto ended = [weak = weak_from_this(), where = std::move(where)](std::exception_ptr why) {
    if (!why) return;
    if (const auto self = weak.lock()) self->report(where.c_str(), why);
  };
  // Never from inside this call: the caller may hold a lock that the work waits for.
  asio::post(executor_,
             [executor = executor_, work = std::move(work), ended = std::move(ended)]() mutable {
               asio::co_spawn(executor, std::move(work), std::move(ended));
             });
  return true;
}

void database_core::add_route(std::string name, const bridging::message_decoder& reads,
                              route_target to) {
  if (name.empty()) throw error(errc::bad_arguments, "a route needs a name");
  std::shared_ptr<destination> of;
  {
    const std::lock_guard lock(routes_mutex_);
    std::shared_ptr<destination>& found = destinations_[name];
    if (!found) {
      found = std::make_shared<destination>(weak_from_this(), name, options_.max_in_flight, to);
    }
    of = found;
    if (of->target() != to) {
      throw error(errc::bad_arguments,
                  "the route '" + name + "' leads to another target: give each its own name");
    }
    of->add_type(reads);
    route_names& all = routes_[std::string(reads.type)];
    std::vector<std::string> names;
    if (all) names = *all;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    all = std::make_shared<const std::vector<std::string>>(std::move(names));
    if (draining_) of->stop();
  }
  // After this call has returned, so that the routes of one coroutine begin together.
  const std::lock_guard lock(executor_mutex_);
  if (!executor_) throw_closed();
  asio::post(executor_, [weak = weak_from_this(), of] {
    if (const auto self = weak.lock()) self->load_more(of);
  });
}

void database_core::add_messages(unit& to, std::string_view type, payload made,
                                 std::optional<wall_clock::time_point> when) {
  route_names names;
  {
    const std::lock_guard lock(routes_mutex_);
    if (const auto found = routes_.find(type); found != routes_.end()) names = found->second;
  }
  if (!names) {
    throw error(errc::no_handler, "'" + std::string(type) +
                                      "' has no route: call database::route for it before it is "
                                      "dispatched, or it is never delivered");
  }
  message_row row;
  const origin* const cause = msgbus::detail::current_origin();
  if (cause == nullptr && transport::is_header_value(made.content_type) &&
      transport::is_header_value(type)) {
    row.id = ids_.next();
    row.headers = line_of(header::content_type, made.content_type);
    row.body = std::move(made.bytes);
  } else {
    const context ctx = context::caused_by(cause);
    envelope out = bridging::make_envelope(ids_, {}, std::move(made), type, ctx);
    transport::make_sendable(out.headers);
    row.id = bridging::header_of(out, header::message_id);
    row.headers = lines_of(out.headers);
    row.body = std::move(out.payload);
  }
  row.type = type;
  if (when) row.due = to_file(*when);
  for (std::size_t i = 1; i < names->size(); ++i) {
    row.destination = (*names)[i];
    to.messages.push_back(row);
  }
  row.destination = names->front();
  to.messages.push_back(std::move(row));
}

bool database_core::submit(std::shared_ptr<job> added) {
  if (writer_.submit(added, writer::urgency::now)) return true;
  try {
    throw_closed();
  } catch (...) {
    added->failed(std::current_exception());
  }
  return false;
}

void database_core::read(read_thread::task added) {
  if (read_thread_.submit(added)) return;
  try {
    throw_closed();
  } catch (...) {
    added(nullptr, std::current_exception());
  }
}

void database_core::settle(std::shared_ptr<job> how_it_ended, writer::urgency when) noexcept {
  // Not taken: the database is closed, and the next start delivers it again.
  (void)writer_.submit(std::move(how_it_ended), when);
}

void database_core::throw_closed() const {
  throw error(errc::closed, options_.file + " is closed");
}

void database_core::has_space(const std::shared_ptr<destination>& of) noexcept {
  if (with_space_.empty() || with_space_.back() != of) with_space_.push_back(of);
}

void database_core::group_ended() noexcept {
  std::shared_ptr<destination> to;
  for (std::span<message_row> left : to_deliver_) {
    while (!left.empty()) {
      const std::string& name = left.front().destination;
      const auto other = std::find_if(left.begin(), left.end(), [&](const message_row& row) {
        return row.destination != name;
      });
      if (!to || to->name() != name) to = destination_of(name);
      const auto many = static_cast<std::size_t>(other - left.begin());
      if (to) to->offer(left.first(many));
      left = left.subspan(many);
    }
  }
  to_deliver_.clear();
  kept_.clear();
  for (const auto& each : with_space_) load_more(each);
  with_space_.clear();
}

void database_core::load_more(const std::shared_ptr<destination>& of) noexcept {
  if (auto positions = of->begin_load_of_lines(); !positions.empty()) {
    (void)writer_.call([this, of, positions = std::move(positions)](outbox& in) {
      try {
        of->load(in, positions);
      } catch (...) {
        has_trouble_ = true;
        report("loading messages", std::current_exception());
      }
    });
  }
  if (!of->begin_load()) return;
  (void)writer_.call([this, of](outbox& in) {
    try {
      of->load(in);
    } catch (...) {
      has_trouble_ = true;
      report("loading messages", std::current_exception());
      return;
    }
    // Where nothing was held back by a full window, the next rows are wanted at once.
    load_more(of);
  });
}

void database_core::repeat_later(std::shared_ptr<job> failed,
                                 const std::exception_ptr& why) noexcept {
  if (!std::exchange(trouble_is_told_, true)) report("marking messages as delivered", why);
  has_trouble_ = true;
  const std::lock_guard lock(repeat_mutex_);
  to_repeat_.push_back(std::move(failed));
}

database_core::clock::duration database_core::look_again_after() const noexcept {
  if (has_trouble_) return 200ms;
  return wants_figures_ ? clock::duration(1s) : clock::duration(clean_up_every);
}

void database_core::pause_release(const std::exception_ptr& why) noexcept {
  release_after_ = clock::now() + 200ms;
  report("releasing messages that are due", why);
}

std::shared_ptr<job> database_core::release_due() { return std::make_shared<release_job>(*this); }

void database_core::cleaned_up(bool has_more) noexcept {
  clean_up_at_ = clock::now() + clean_up_every;
  if (!has_more) return;
  (void)writer_.submit(std::make_shared<clean_up_job>(*this), writer::urgency::soon);
}

void database_core::look_after() noexcept {
  has_trouble_ = false;
  read_figures();
  std::vector<std::shared_ptr<job>> again;
  {
    const std::lock_guard lock(repeat_mutex_);
    again.swap(to_repeat_);
  }
  if (again.empty()) trouble_is_told_ = false;
  for (auto& each : again) (void)writer_.submit(std::move(each), writer::urgency::soon);
  for (const auto& each : destinations()) load_more(each);
  if (clock::now() >= clean_up_at_) {
    clean_up_at_ = clock::time_point::max();  // until it has ended
    (void)writer_.submit(std::make_shared<clean_up_job>(*this), writer::urgency::soon);
  }
}

void database_core::report(const char* where, const std::exception_ptr& why) noexcept {
  if (!options_.on_failure) {
    say({where, " failed, and open_options::on_failure is not set: "}, why);
    return;
  }
  try {
    options_.on_failure(where, why);
  } catch (...) {
    say({where, " failed: "}, why);
    say_thrown_by("on_failure");
  }
}

std::shared_ptr<destination> database_core::destination_of(const std::string& name) const {
  const std::lock_guard lock(routes_mutex_);
  const auto found = destinations_.find(name);
  return found == destinations_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<destination>> database_core::destinations() const {
  const std::lock_guard lock(routes_mutex_);
  std::vector<std::shared_ptr<destination>> all;
  all.reserve(destinations_.size());
  for (const auto& [name, each] : destinations_) all.push_back(each);
  return all;
}

asio::awaitable<bool> database_core::drain(std::shared_ptr<database_core> self,
                                           std::chrono::steady_clock::duration deadline) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  {
    const std::lock_guard lock(self->routes_mutex_);
    self->draining_ = true;
  }
  const auto until = saturating_add(exec::now(here), deadline);
  bool is_done = true;
  for (const auto& each : self->destinations()) each->stop();
  for (const auto& each : self->destinations()) {
    const auto left = std::max(saturating_sub(until, exec::now(here)), deadline * 0);
    auto waiting = each->busy()->wait_for(left);
    is_done = co_await std::move(waiting) && is_done;
  }
  co_return is_done;
}

counters database_core::stats() const {
  const auto read = [](const counter& of) { return of.load(std::memory_order_relaxed); };
  counters all;
  all.committed = read(transactions);
  all.failed = read(refused);
  all.commits = writer_.commits() + read(commits_alone);
  all.dispatched = read(dispatched);
  all.delivered = read(delivered);
  all.retried = read(retried);
  all.dead_lettered = read(dead_lettered);
  all.repeated = read(repeated);
  for (const auto& each : destinations()) all.in_flight += each->in_flight();
  return all;
}

async::detail::store_stats database_core::figures() {
  const counters now = stats();
  async::detail::store_stats all;
  all.transactions = {{"committed", now.committed}, {"failed", now.failed}};
  all.messages = {{"dispatched", now.dispatched},
                  {"delivered", now.delivered},
                  {"retried", now.retried},
                  {"dead_lettered", now.dead_lettered},
                  {"repeated", now.repeated}};
  writer::size_counts sizes = writer_.sizes();
  sizes[0] += commits_alone.load(std::memory_order_relaxed);
  static constexpr std::array<const char*, 6> bounds{"1", "4", "16", "64", "256", "more"};
  static_assert(bounds.size() == std::tuple_size_v<writer::size_counts>);
  for (std::size_t i = 0; i < bounds.size(); ++i) all.commits.emplace_back(bounds[i], sizes[i]);
  all.in_flight = now.in_flight;
  const std::lock_guard lock(figures_mutex_);
  const auto time = wall_clock::now();
  all.dead_letters = figures_.dead_letters;
  for (const waiting_messages& each : figures_.waiting) {
    if (all.destinations.empty() || all.destinations.back().name != each.destination) {
      all.destinations.push_back({.name = each.destination});
    }
    auto& to = all.destinations.back();
    to.waiting += each.count;
    to.scheduled += each.scheduled;
    if (!each.oldest || *each.oldest > time) continue;
    const std::chrono::nanoseconds age = time - *each.oldest;
    to.oldest = std::max(to.oldest, static_cast<std::uint64_t>(age.count()));
  }
  figures_wanted_until_ = clock::now() + 5min;
  if (!wants_figures_.exchange(true)) (void)writer_.call([](outbox&) {});  // it looks again now
  return all;
}

void database_core::read_figures() noexcept {
  {
    const std::lock_guard lock(figures_mutex_);
    const auto now = clock::now();
    wants_figures_ = now < figures_wanted_until_;
    if (!wants_figures_ || reading_figures_ || now < read_figures_at_) return;
    reading_figures_ = true;
  }
  const bool is_open = read_thread_.submit([this](connection* from, const std::exception_ptr&) {
    const auto begun = clock::now();
    std::optional<file_status> now;
    try {
      if (from != nullptr) now = read_status(*from, options_.prefix);
    } catch (...) {
      report("reading figures", std::current_exception());
    }
    const std::lock_guard lock(figures_mutex_);
    reading_figures_ = false;
    read_figures_at_ = clock::now() + (clock::now() - begun) * 20;  // a long outbox takes long
    if (now) figures_ = std::move(*now);
  });
  if (is_open) return;
  const std::lock_guard lock(figures_mutex_);
  reading_figures_ = false;
}

}  // namespace msgbus::durable::detail
