#include <msgbus/log_observer.hpp>

#include <msgbus/error.hpp>

#include "core/text.hpp"

#include <string>

namespace msgbus {

namespace {

std::string text_in(log_format format, std::string_view value) {
  return format == log_format::json ? detail::json_string(value) : detail::logfmt_value(value);
}

void add_name(std::string& line, log_format format, std::string_view name) {
  if (format == log_format::json) {
    line += line.empty() ? "{" : ",";
    line += detail::json_string(name);
    line += ':';
  } else {
    if (!line.empty()) line += ' ';
    line += name;
    line += '=';
  }
}

}  // namespace

log_observer::log_observer(writer write, log_options options)
    : write_(std::move(write)), options_(std::move(options)) {}

log_observer::~log_observer() { flush(); }

std::string_view log_observer::name_of(kind of) noexcept {
  switch (of) {
    case kind::rejected: return "rejected";
    case kind::failed: return "failed";
    case kind::overran: return "overran";
    case kind::dropped: return "dropped";
    case kind::abandoned: return "abandoned";
    case kind::unrouted: return "unrouted";
    case kind::breaker: return "breaker";
    case kind::connection: return "connection";
    case kind::count: break;
  }
  return "event";
}

void log_observer::rejected(const step& step) {
  step_line(kind::rejected, log_level::warning, step);
}

void log_observer::failed(const step& step, const std::exception_ptr& failure) {
  const std::string text = describe(failure);
  step_line(kind::failed, log_level::error, step, {"error", text});
}

void log_observer::overran(const step& step, std::chrono::steady_clock::duration took) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  const std::string text = std::to_string(ms) + "ms";
  step_line(kind::overran, log_level::warning, step, {"took", text});
}

void log_observer::dropped(const step& step) { step_line(kind::dropped, log_level::warning, step); }

void log_observer::abandoned(const step& step) {
  step_line(kind::abandoned, log_level::warning, step);
}

void log_observer::unrouted(const step& step) { step_line(kind::unrouted, log_level::info, step); }

void log_observer::breaker_changed(std::string_view name, std::string_view state) {
  line(kind::breaker, state == "closed" ? log_level::info : log_level::warning,
       {{"breaker", name}, {"state", state}});
}

void log_observer::connection_changed(std::string_view name, std::string_view state,
                                      std::string_view text) {
  line(kind::connection, state == "reconnected" ? log_level::info : log_level::warning,
       {{"connection", name}, {"state", state}, {"text", text}});
}

void log_observer::step_line(kind of, log_level level, const step& step, member more) {
  line(of, level,
       {{"component", step.component}, {"message", step.message}, {"topic", step.topic}, more});
}

void log_observer::line(kind of, log_level level, std::initializer_list<member> members) {
  const auto now = options_.now ? options_.now() : std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  const auto admitted =
      limits_[static_cast<std::size_t>(of)].admit(now, options_.lines, options_.per);
  if (admitted) write_locked(of, level, members, *admitted);
}

void log_observer::write_locked(kind of, log_level level, std::initializer_list<member> members,
                                std::uint64_t left_out) {
  const log_format format = options_.format;
  std::string made;
  add_name(made, format, "event");
  made += text_in(format, name_of(of));
  for (const auto& [name, value] : members) {
    if (name.empty() || value.empty()) continue;
    add_name(made, format, name);
    made += text_in(format, value);
  }
  if (left_out != 0) {
    add_name(made, format, "left_out");
    made += std::to_string(left_out);
  }
  if (format == log_format::json) made += '}';
  try {
    write_(level, made);
  } catch (...) {
    detail::say_thrown_by("the writer of a log_observer");
  }
}

void log_observer::flush() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    if (const std::uint64_t left_out = limits_[i].take_left_out(); left_out != 0) {
      write_locked(static_cast<kind>(i), log_level::warning, {}, left_out);
    }
  }
}

}  // namespace msgbus
