#pragma once

/// What every transport must do, as cases for any test framework. One coroutine runs a case; the
/// transport may call back on whatever threads it has.

#include <msgbus/transport/transport.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::testing {

/// Where one case runs: make a new one for each. Its topics and streams are its own as long as the
/// prefix is, also on a server that other tests use.
class transport_environment {
 public:
  using duration = transport::duration;

  /// One token of letters and digits.
  explicit transport_environment(std::string prefix) : prefix_(std::move(prefix)) {}
  transport_environment(const transport_environment&) = delete;
  transport_environment& operator=(const transport_environment&) = delete;
  virtual ~transport_environment() = default;

  [[nodiscard]] virtual transport::features supports() const noexcept = 0;

  /// A new connection to the same place, without echo.
  [[nodiscard]] virtual asio::awaitable<std::shared_ptr<transport::transport>> connect() = 0;

  /// Whether `cut` and `restore` are there; cases that need a connection to be away are skipped
  /// otherwise.
  [[nodiscard]] virtual bool can_cut() const noexcept { return false; }
  [[nodiscard]] virtual asio::awaitable<void> cut(transport::transport& connection);
  [[nodiscard]] virtual asio::awaitable<void> restore(transport::transport& connection);

  /// How long a case waits for what must happen.
  [[nodiscard]] virtual duration deadline() const noexcept { return std::chrono::seconds(20); }

  /// The unit of the times that a case lets pass: `ack_wait` and delays are a few of it. Longer
  /// than the slowest thing that the machine does at once.
  [[nodiscard]] virtual duration patience() const noexcept { return std::chrono::seconds(1); }

  /// How many bytes a message may have, with its headers; 0: any number.
  [[nodiscard]] virtual std::size_t max_payload() const noexcept { return 1 << 20; }

  /// `<prefix>.<name>`, a topic or pattern.
  [[nodiscard]] std::string topic(std::string_view name) const;
  [[nodiscard]] std::string stream(std::string_view name = "STREAM") const;

 private:
  const std::string prefix_;
};

/// What a case throws when the transport does not do what it should.
class conformance_failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct conformance_case {
  std::string name;           ///< a sentence
  transport::features needs;  ///< what the transport must support; else it is skipped
  asio::awaitable<void> (*run)(transport_environment& in);
};

/// All cases, in the order of `transport.hpp`.
[[nodiscard]] std::vector<conformance_case> transport_conformance();

struct conformance_result {
  enum class verdict { passed, failed, skipped };
  verdict how = verdict::passed;
  std::string why = {};  ///< what failed, or what the transport lacks
};

/// Runs one case, unless the environment lacks something that it needs. The environment must live
/// until this has completed.
[[nodiscard]] asio::awaitable<conformance_result> run_conformance(conformance_case which,
                                                                  transport_environment& in);

}  // namespace msgbus::testing
