#pragma once

/// The document of a monitor as rows of a table, and what troubles each component. Pure.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::top {

/// A document that is not one of a monitor. Its text is a sentence for the user.
struct not_a_monitor : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class level { good, warn, bad };

/// Seconds, as of a histogram whose last bucket begins at 10.
struct quantiles {
  double p50 = 0;
  double p99 = 0;
};

/// A component.
struct row {
  std::string name = {};
  std::string kind = {};
  std::string executor = {};
  std::string state = {};
  std::uint64_t waiting = 0;
  std::uint64_t capacity = 0;
  double oldest = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t limit = 0;
  double offered = 0;  // a second, as the next ones
  double handled = 0;
  double failed = 0;
  double lost = 0;  // dropped, rejected, abandoned
  double unrouted = 0;
  double retries = 0;
  std::optional<quantiles> wait = {};
  std::optional<quantiles> handle = {};
  std::string breaker = {};  // the state of the one that is worst
  std::uint64_t dead_letters = 0;
  std::uint64_t blocked_senders = 0;
  std::string error = {};
  std::optional<double> error_age = {};
  int trouble = 0;  // higher is worse; as model.js of the page weighs it
  level worst = level::good;
};

/// The state of a program.
struct status {
  std::string title = {};
  std::string version = {};  // of its library
  std::string state = {};
  double time = 0;
  double since = 0;
  std::vector<row> rows = {};
  std::vector<std::string> stalled = {};   // a sentence for each executor that does not answer
  std::vector<std::string> warnings = {};  // their sentences
};

/// Reads a document of /status.json.
///
/// Throws: `not_a_monitor` for other documents.
[[nodiscard]] status read_status(std::string_view document);

}  // namespace msgbus::top
