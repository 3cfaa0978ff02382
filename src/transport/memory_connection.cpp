#include "transport/memory_hub.hpp"
#include "transport/names.hpp"

#include <msgbus/error.hpp>

#include <utility>

namespace msgbus::transport::memory {

connection::connection(std::shared_ptr<hub> at, std::uint64_t number,
                       asio::any_io_executor executor, memory_options options)
    : waiting(at->mutex()),
      hub_(std::move(at)),
      number_(number),
      executor_(std::move(executor)),
      options_(std::move(options)) {}

std::string connection::describe() const {
  return options_.name.empty() ? "the memory connection"
                               : "the memory connection '" + options_.name + "'";
}

std::string connection::new_inbox() {
  return "_INBOX.memory-" + std::to_string(number_) + "." + std::to_string(++inboxes_);
}

void connection::open() {
  if (!link(executor_)) context_ended();
}

void connection::must_be_open() const {
  if (closed_) throw error(errc::closed, "msgbus: " + describe() + " is closed");
}

void connection::context_ended() noexcept {
  const auto self = weak_from_this().lock();
  if (!self) return;
  {
    const hub_lock lock(hub_);
    context_ended_ = true;
  }
  close();
  const hub_lock lock(hub_);
  executor_ = {};
}

void connection::close() noexcept {
  hub_lock lock(hub_);
  if (std::exchange(closed_, true)) return;
  kept_.clear();
  lock.wake_all(waiting);
  lock.in().remove(*this, lock);
}

void connection::must_fit(const envelope& one) const {
  const std::size_t limit = options_.max_payload;
  if (limit != 0 && size_of(one) > limit) throw too_large(one, limit);
}

void connection::publish(hub_lock& lock, message one, bool to_itself) {
  must_fit(*one);
  if (!away_) {
    lock.in().send(*this, one, to_itself);
    return;
  }
  if (kept_messages_ >= options_.away_limit) {
    throw error(errc::full, "msgbus: publish to '" + one->topic + "': " + describe() +
                                " is away, and " + std::to_string(kept_messages_) +
                                " messages wait for it, of " + std::to_string(options_.away_limit) +
                                " at most");
  }
  ++kept_messages_;
  kept_.emplace_back([this, message = std::move(one), to_itself](hub_lock& later) {
    later.in().send(*this, message, to_itself);
  });
}

void connection::set_away(hub_lock& lock, bool away) {
  if (away_ == away) return;
  away_ = away;
  for (const auto& each : lock.in().sources_of(*this)) each->set_away(away);
  lock.in().hold_all_of(*this, !away);
  if (away) lock.in().interrupt_feeds_of(*this);
}

void connection::catch_up(hub_lock& lock) {
  if (away_) return;
  kept_messages_ = 0;
  for (const auto& each : std::exchange(kept_, {})) each(lock);
  lock.wake_all(waiting);
}

}  // namespace msgbus::transport::memory
