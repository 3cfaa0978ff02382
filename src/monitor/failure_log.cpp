#include "monitor/failure_log.hpp"

#include <msgbus/error.hpp>

#include "core/text.hpp"

#include <chrono>
#include <new>

namespace msgbus::monitoring {

double wall_time() noexcept {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool failure_log::has_budget() noexcept {
  if (budget_.load(std::memory_order_relaxed) > 0 &&
      budget_.fetch_sub(1, std::memory_order_relaxed) > 0) {
    return true;
  }
  left_out_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void failure_log::add(failure_entry made) {
  made.text = msgbus::detail::shortened(made.text, longest_text);
  const std::lock_guard lock(mutex_);
  made.id = last_id_ += 1 + left_out_.exchange(0, std::memory_order_relaxed);
  if (!made.component.empty()) by_component_.insert_or_assign(made.component, made);
  entries_.push_front(std::move(made));
  if (entries_.size() > kept) entries_.pop_back();
}

void failure_log::failed(const step& message, const routing::entry* handler,
                         const std::exception_ptr& why, bool repeated) noexcept {
  if (!has_budget()) return;
  try {
    failure_entry made;
    made.time = wall_time();
    made.component = message.component;
    made.message = message.message;
    if (handler) made.handler = handler->describe();
    made.text = describe(why);
    made.repeated = repeated;
    add(std::move(made));
  } catch (const std::bad_alloc&) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
  }
}

void failure_log::note(std::string_view source, const std::exception_ptr& why) noexcept {
  try {
    failure_entry made;
    made.time = wall_time();
    made.message = source;
    made.text = describe(why);
    add(std::move(made));
  } catch (const std::bad_alloc&) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
  }
}

void failure_log::unrouted(const step& message) noexcept {
  if (budget_.load(std::memory_order_relaxed) <= 0) return;  // counted by the component
  budget_.fetch_sub(1, std::memory_order_relaxed);
  try {
    std::pair<std::string, std::string> which(message.component, message.message);
    const std::lock_guard lock(mutex_);
    if (unrouted_.size() >= most_unrouted && !unrouted_.contains(which)) return;
    unrouted_.insert_or_assign(std::move(which), wall_time());
  } catch (const std::bad_alloc&) {
    return;  // the component has counted it
  }
}

std::vector<failure_entry> failure_log::last() const {
  const std::lock_guard lock(mutex_);
  return {entries_.begin(), entries_.end()};
}

std::optional<failure_entry> failure_log::last_of(const std::string& component) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_component_.find(component);
  return found == by_component_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> failure_log::unrouted_since(const std::string& component,
                                                     double time) const {
  std::vector<std::string> all;
  const std::lock_guard lock(mutex_);
  for (auto each = unrouted_.lower_bound({component, {}});
       each != unrouted_.end() && each->first.first == component; ++each) {
    if (each->second >= time) all.push_back(each->first.second);
  }
  return all;
}

}  // namespace msgbus::monitoring
