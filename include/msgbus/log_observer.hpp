#pragma once

/// An observer that writes one line for each event of interest, for people and programs that read
/// logs.

#include <msgbus/detail/observe/line_limiter.hpp>
#include <msgbus/observer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace msgbus {

/// The form of a line.
enum class log_format {
  key_value,  ///< `event=failed component=audit message=order error="no disk"`
  json        ///< `{"event":"failed","component":"audit","message":"order","error":"no disk"}`
};
std::ostream& operator<<(std::ostream& out, log_format value);

/// The severity of an event.
enum class log_level { info, warning, error };
std::ostream& operator<<(std::ostream& out, log_level value);

/// The options of a `log_observer`.
struct log_options {
  log_format format = log_format::key_value;  ///< the form of the lines
  std::size_t lines = 20;  ///< of each kind of event, in the time `per`; 0: no limit
  std::chrono::steady_clock::duration per = std::chrono::seconds(1);  ///< see `lines`
  /// The clock of the limit, for tests; empty: the steady clock.
  std::function<std::chrono::steady_clock::time_point()> now = {};
};

/// Writes a line for a message that failed, was dropped, abandoned, rejected or unrouted, and for
/// an attempt that overran. A line is one line, whatever bytes the names and texts hold (O3). It
/// has no time: the log adds that.
///
///     auto log = std::make_shared<log_observer>(log_to(spdlog::default_logger()));
///     all.observe(log);  // a host, or a component
///
/// If one kind of event is too frequent, lines are left out. The next line of that kind has their
/// number in `left_out`; the destructor writes one, too. May observe several components at the same
/// time. Thread-safe; lines are written one at a time, on the thread of the event.
class log_observer : public observer {
 public:
  /// The destination of the lines, which have no line end. An exception of the function is one line
  /// on stderr.
  using writer = std::function<void(log_level, std::string_view line)>;

  explicit log_observer(writer write, log_options options = {});
  /// As `flush`.
  ~log_observer() override;

  void rejected(const step& step) override;
  void failed(const step& step, const std::exception_ptr& failure) override;
  void overran(const step& step, std::chrono::steady_clock::duration took) override;
  void dropped(const step& step) override;
  void abandoned(const step& step) override;
  void unrouted(const step& step) override;

  /// A circuit breaker has changed: for `breaker_options::on_change`.
  void breaker_changed(std::string_view name, std::string_view state);
  /// A connection was lost, or is back: for `nats::options::on_event`.
  void connection_changed(std::string_view name, std::string_view state, std::string_view text);

  /// Writes a line for each kind of event of which lines were left out since its last one.
  void flush();

 private:
  enum class kind {
    rejected,
    failed,
    overran,
    dropped,
    abandoned,
    unrouted,
    breaker,
    connection,
    count
  };
  using member = std::pair<std::string_view, std::string_view>;

  void step_line(kind of, log_level level, const step& step, member more = {});
  void line(kind of, log_level level, std::initializer_list<member> members);
  void write_locked(kind of, log_level level, std::initializer_list<member> members,
                    std::uint64_t left_out);
  static std::string_view name_of(kind of) noexcept;

  const writer write_;
  const log_options options_;
  std::mutex mutex_;
  std::array<detail::line_limiter, static_cast<std::size_t>(kind::count)> limits_;  // under it
};

/// A writer for an object with `info`, `warn` and `error`, such as a `spdlog::logger`.
template <class Logger>
[[nodiscard]] log_observer::writer log_to(std::shared_ptr<Logger> logger) {
  return [logger = std::move(logger)](log_level level, std::string_view line) {
    switch (level) {
      case log_level::info: return logger->info(line);
      case log_level::warning: return logger->warn(line);
      case log_level::error: return logger->error(line);
    }
  };
}

}  // namespace msgbus
