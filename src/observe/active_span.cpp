#include "observe/active_span.hpp"

#include <msgbus/detail/observe/duration_histogram.hpp>
#include <msgbus/error.hpp>

#include "core/print.hpp"
#include "core/text.hpp"
#include "core/trace_state.hpp"
#include "observe/message_span.hpp"
#include "observe/trace_table.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cstdlib>
#include <cxxabi.h>
#endif

namespace msgbus::detail {

namespace {

std::uint64_t last_bytes_of(const std::array<std::uint8_t, 16>& trace_id) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8U | trace_id[i];
  return number;
}

void set_bytes(std::array<std::uint8_t, 16>& id, std::size_t at, std::uint64_t number) noexcept {
  for (std::size_t i = at + 8; i-- > at; number >>= 8U) id[i] = static_cast<std::uint8_t>(number);
}

/// SplitMix64: equal numbers stay equal, and others are spread.
std::uint64_t mixed(std::uint64_t number) noexcept {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31U);
}

std::string name_of_type(const std::type_info& type) {
#if __has_include(<cxxabi.h>)
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  if (status == 0 && name) return name.get();
#endif
  return type.name();
}

/// The value of `error.type`: an error code of the library, or the type of the exception.
std::string type_of_error(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    std::ostringstream text;
    text << static_cast<errc>(e.code().value());
    return e.code().category() == error_category() ? text.str() : name_of_type(typeid(e));
  } catch (const std::exception& e) {
    return name_of_type(typeid(e));
  } catch (...) {
    return std::string(trace_names::other_error);
  }
}

template <class Call>
void tell(Call call) noexcept {
  try {
    call();
  } catch (...) {
    say_thrown_by("a tracer");
  }
}

}  // namespace

// --- A span --------------------------------------------------------------------------------------

active_span::active_span(std::shared_ptr<tracer> by, span_data&& begun) noexcept
    : by_(std::move(by)), context_(begun.context), data_(std::move(begun)) {}

active_span::~active_span() { end(); }

void active_span::set(std::string key, attribute_value value) {
  if (has_ended()) return;
  const std::lock_guard lock(mutex_);
  const auto there = std::ranges::find(data_.attributes, key, &attribute::key);
  if (there != data_.attributes.end()) {
    there->value = std::move(value);
  } else {
    data_.attributes.push_back({std::move(key), std::move(value)});
  }
}

void active_span::fail(std::string description) {
  if (has_ended()) return;
  const std::lock_guard lock(mutex_);
  data_.status = span_status::error;
  data_.status_text = std::move(description);
}

void active_span::fail(const std::exception_ptr& failure) noexcept {
  try {
    set(std::string(trace_names::error_type), type_of_error(failure));
    fail(msgbus::describe(failure));
  } catch (...) {
    const std::lock_guard lock(mutex_);
    data_.status = span_status::error;
  }
}

void active_span::recover() noexcept {
  const std::lock_guard lock(mutex_);
  data_.status = span_status::unset;
  data_.status_text.clear();
  std::erase_if(data_.attributes,
                [](const attribute& each) { return each.key == trace_names::error_type; });
}

void active_span::end() noexcept {
  if (has_ended_.exchange(true, std::memory_order_acq_rel)) return;
  // Later changes are refused, and those that have begun have the lock.
  const std::lock_guard lock(mutex_);
  data_.took = std::chrono::steady_clock::now() - began_;
  tell([&] { by_->ended(data_); });
}

// --- Whether one begins --------------------------------------------------------------------------

std::optional<trace_context> trace_from(const origin* from) {
  if (!from) return std::nullopt;
  if (from->span) return from->span->context();
  return trace_of(*from);
}

std::optional<trace_context> sampled_ids(const tracer& by, const trace_context* parent) {
  const sampler& decides = by.sampling();
  if (parent) {
    if (!decides.samples_below(*parent)) return std::nullopt;
    trace_context ids = parent->child();
    ids.sampled = true;
    return ids;
  }
  const std::uint64_t number = next_random();  // never 0
  if (!decides.samples_root(number)) return std::nullopt;
  return root_ids(number);
}

trace_context root_ids(std::uint64_t number) {
  trace_context ids = trace_context::start(true);
  set_bytes(ids.trace_id, 8, number);
  return ids;
}

std::optional<trace_context> sampled_ids_for(const tracer& by, std::string_view message_id) {
  const std::uint64_t number = std::hash<std::string_view>()(message_id);
  const std::uint64_t last = mixed(number) | 1U;  // all zeros is no id
  if (!by.sampling().samples_root(last)) return std::nullopt;
  trace_context ids = trace_context::start(true);
  set_bytes(ids.trace_id, 0, mixed(~number));
  set_bytes(ids.trace_id, 8, last);
  return ids;
}

shared_span begin_span(const std::shared_ptr<tracer>& by, span_data begun,
                       const trace_context* parent) {
  begun.began = std::chrono::system_clock::now();
  if (parent) begun.parent = parent->span_id;
  return std::make_shared<active_span>(by, std::move(begun));
}

span_data described(const message_span& of, const trace_context& ids) {
  namespace names = trace_names;
  span_data made;
  made.name = names::span_name(of.operation, of.destination);
  made.kind = of.kind;
  made.context = ids;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) made.attributes.push_back({std::string(key), std::string(value)});
  };
  add(names::system, of.system);
  add(names::operation, of.operation);
  add(names::operation_type, names::type_of(of.operation));
  add(names::destination, of.destination);
  add(names::group, of.component);
  if (of.from) {
    add(names::message_id, of.from->message_id);
    add(names::conversation, of.from->correlation_id);
  }
  return made;
}

shared_origin origin_of(const shared_span& in_hand, const origin* handled) {
  auto made = origin_with(in_hand->context(), handled);
  made->span = in_hand;
  return made;
}

// --- Not sampled ---------------------------------------------------------------------------------

constinit const shared_origin not_sampled_mark;

const shared_origin& not_sampled_origin() {
  static const shared_origin made = origin_with(trace_context::start(false), nullptr);
  return made;
}

span span_access::handle(shared_span of, bool is_owner) {
  span made;
  if (is_owner && of) {
    made.owner_ = std::shared_ptr<void>(nullptr, [of](void*) { of->end(); });
  }
  made.at_ = std::move(of);
  return made;
}

span span_access::not_sampled() {
  span made;
  made.is_decided_ = true;
  return made;
}

}  // namespace msgbus::detail

namespace msgbus {

namespace {

span begin_child(const std::shared_ptr<tracer>& by, std::string name, span_kind kind,
                 const trace_context* parent) {
  if (!by) return {};
  const std::optional<trace_context> ids = detail::sampled_ids(*by, parent);
  if (!ids) return detail::span_access::not_sampled();
  span_data begun;
  begun.name = std::move(name);
  begun.kind = kind;
  begun.context = *ids;
  return detail::span_access::handle(detail::begin_span(by, std::move(begun), parent), true);
}

}  // namespace

// --- Handles -------------------------------------------------------------------------------------

bool span::is_recording() const noexcept { return at_ && !at_->has_ended(); }

std::optional<trace_context> span::context() const {
  if (!at_) return std::nullopt;
  return at_->context();
}

span span::child(std::string name, span_kind kind) const {
  if (!at_) return is_decided_ ? detail::span_access::not_sampled() : span();
  return begin_child(at_->by(), std::move(name), kind, &at_->context());
}

void span::set(std::string key, attribute_value value) const {
  if (at_) at_->set(std::move(key), std::move(value));
}

void span::fail(std::string description) const {
  if (at_) at_->fail(std::move(description));
}

void span::end() const noexcept {
  if (at_ && owner_.use_count() > 0) at_->end();
}

span current_span() {
  if (detail::is_marked_not_sampled()) return detail::span_access::not_sampled();
  const origin* const now = detail::current_origin();
  if (!now) return {};
  return detail::span_access::handle(now->span, false);
}

span start_span(const std::shared_ptr<tracer>& by, std::string name, span_kind kind) {
  if (detail::is_marked_not_sampled()) return detail::span_access::not_sampled();
  const std::optional<trace_context> parent = current_trace();
  return begin_child(by, std::move(name), kind, parent ? &*parent : nullptr);
}

span start_span(const std::shared_ptr<tracer>& by, std::string name, span_kind kind,
                const trace_context& parent) {
  return begin_child(by, std::move(name), kind, &parent);
}

trace_scope::trace_scope(const span& current)
    : origin_(current.at_ ? detail::origin_of(current.at_, detail::current_origin()) : nullptr),
      scope_(origin_               ? &origin_
             : current.is_decided_ ? &detail::not_sampled_mark
                                   : detail::cause_of_this_thread) {}

// --- Samplers ------------------------------------------------------------------------------------

sampler sampler::always() noexcept { return {~std::uint64_t{0}, false}; }
sampler sampler::never() noexcept { return {0, false}; }

sampler sampler::ratio(double part) noexcept {
  if (!(part > 0)) return never();
  if (part >= 1) return always();
  return {static_cast<std::uint64_t>(part * static_cast<double>(half)), false};
}

sampler sampler::parent_based(sampler root) noexcept { return {root.bound_, true}; }

bool sampler::samples_below(const trace_context& parent) const noexcept {
  if (by_parent_) return parent.sampled;
  return samples_root(detail::last_bytes_of(parent.trace_id));
}

}  // namespace msgbus
