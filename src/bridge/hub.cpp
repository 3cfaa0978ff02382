#include <msgbus/detail/bridge/hub.hpp>

#include "bridge/reply_sink.hpp"
#include "core/text.hpp"

#include <msgbus/error.hpp>

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include <utility>

namespace msgbus::bridging {

std::string no_process_serves(std::string_view topic) {
  return "no process serves '" + std::string(topic) + "'";
}

hub::hub(std::shared_ptr<transport::transport> over, failure_listener on_failure)
    : wire(std::move(over)), on_failure_(std::move(on_failure)) {}

hub::~hub() { close(); }

void hub::failed(std::string_view where, const std::exception_ptr& failure) const noexcept {
  if (!on_failure_) {
    detail::say({where, " failed, and bridge_options::on_failure is not set: "}, failure);
    return;
  }
  try {
    on_failure_(where, failure);
  } catch (...) {
    detail::say({where, " failed: "}, failure);
    detail::say_thrown_by("on_failure");
  }
}

std::shared_ptr<reply_sink> hub::listen() {
  const std::lock_guard lock(mutex_);
  if (closed_) throw error(errc::closed, sends_no_request);
  if (!reply_sink_ || reply_sink_->waiting().has_ended()) {
    auto made = std::make_shared<reply_sink>(wire->new_inbox());
    made->feed = wire->subscribe(made->pattern(), {}, made);
    reply_sink_ = std::move(made);
  }
  return reply_sink_;
}

void hub::trace(std::shared_ptr<tracer> to) {
  const std::lock_guard lock(mutex_);
  is_traced_.store(to != nullptr, std::memory_order_relaxed);
  tracer_.swap(to);
}

std::shared_ptr<tracer> hub::traced_by() const {
  if (!is_traced_.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard lock(mutex_);
  return tracer_;
}

std::shared_ptr<remote_prefix> hub::add_remote(std::string prefix) {
  const std::lock_guard lock(mutex_);
  std::erase_if(remotes_, [](const auto& each) { return each.expired(); });
  for (const auto& each : remotes_) {
    if (auto one = each.lock(); one && one->prefix == prefix) return one;
  }
  auto made = std::make_shared<remote_prefix>(std::move(prefix));
  remotes_.push_back(made);
  return made;
}

std::vector<std::shared_ptr<remote_prefix>> hub::remote_services() const {
  std::vector<std::shared_ptr<remote_prefix>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& each : remotes_) {
    if (auto one = each.lock()) all.push_back(std::move(one));
  }
  return all;
}

std::shared_ptr<const void> hub::measure(const std::shared_ptr<hub>& of) {
  of->measuring_.fetch_add(1, std::memory_order_relaxed);
  return {static_cast<const void*>(of.get()), [weak = std::weak_ptr(of)](const void*) {
            const auto self = weak.lock();
            if (self) self->measuring_.fetch_sub(1, std::memory_order_relaxed);
          }};
}

measured_operation& hub::operation(std::atomic<measured_operation*>& cached, std::string_view name,
                                   std::string_view destination) {
  if (auto* const found = cached.load(std::memory_order_acquire)) return *found;
  const std::lock_guard lock(mutex_);
  measured_operation* made = nullptr;
  for (const auto& each : operations_) {
    if (each->name == name && each->destination == destination) made = each.get();
  }
  if (!made) {
    made = operations_.emplace_back(std::make_unique<measured_operation>(name, destination)).get();
  }
  cached.store(made, std::memory_order_release);
  return *made;
}

std::vector<const measured_operation*> hub::operations() const {
  std::vector<const measured_operation*> all;
  const std::lock_guard lock(mutex_);
  all.reserve(operations_.size());
  for (const auto& each : operations_) all.push_back(each.get());
  return all;
}

void hub::close() noexcept {
  std::shared_ptr<reply_sink> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left = std::move(reply_sink_);
  }
  if (!left) return;
  left->feed->stop();
  left->waiting().end({.code = errc::closed, .why = "the bridge was closed"});
  left->feed.reset();  // it holds the answers
}

bool hub::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void launch(std::shared_ptr<hub> on, const asio::any_io_executor& executor, std::string where,
            asio::awaitable<void> work) {
  if (!executor) return;  // its context has ended, and would destroy the work
  auto ended = [on = std::move(on), where = std::move(where)](const std::exception_ptr& failure) {
    if (failure) on->failed(where, failure);
  };
  // Never from inside this call: the caller may hold a lock that the work waits for.
  asio::post(executor, [executor, work = std::move(work), ended = std::move(ended)]() mutable {
    asio::co_spawn(executor, std::move(work), std::move(ended));
  });
}

// --- Answers. ------------------------------------------------------------------------------------

bool reply_sink::take(envelope&& message, bool) noexcept {
  const std::uint64_t number = transport::reply_number(message.topic, inbox_);
  // The transport uses the memory of the topic again.
  waiting_.give(number, {.reply = envelope{.topic = {},
                                           .headers = std::move(message.headers),
                                           .payload = std::move(message.payload)}});
  return true;
}

// Their answers are lost, or will be; those that are asked from now on are sent later.
void reply_sink::interrupted() noexcept {
  waiting_.interrupt({.code = errc::disconnected, .why = "the connection was lost"});
}

void reply_sink::ended(const std::exception_ptr& why) noexcept {
  waiting_.end({.code = errc::transport_failed, .why = describe(why)});
}

}  // namespace msgbus::bridging
