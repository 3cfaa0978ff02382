#pragma once

/// The requirements for every transport, as test cases for any test framework. One coroutine runs a
/// case. The transport may call back on any thread.

#include <msgbus/transport/transport.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::testing {

/// The environment of one case. Make a new one for each. Its topics and streams are its own as long
/// as its prefix is unique, also on a server that other tests use.
class transport_environment {
 public:
  /// A duration of the steady clock.
  using duration = transport::duration;

  /// `prefix` is one token of letters and digits.
  explicit transport_environment(std::string prefix) : prefix_(std::move(prefix)) {}
  transport_environment(const transport_environment&) = delete;
  transport_environment& operator=(const transport_environment&) = delete;
  virtual ~transport_environment() = default;

  /// The optional features of the transport. Cases that need others are skipped.
  [[nodiscard]] virtual transport::features supports() const noexcept = 0;

  /// Opens a new connection to the same server, without echo.
  ///
  /// Completes: with the connection.
  /// Throws: any exception, which fails the case.
  [[nodiscard]] virtual asio::awaitable<std::shared_ptr<transport::transport>> connect() = 0;

  /// Whether `cut` and `restore` are implemented. Otherwise cases with a lost connection are
  /// skipped.
  [[nodiscard]] virtual bool can_cut() const noexcept { return false; }

  /// Makes a connection lose its server.
  ///
  /// Completes: when the connection is lost.
  [[nodiscard]] virtual asio::awaitable<void> cut(transport::transport& connection);

  /// Lets the connection reach its server again.
  ///
  /// Completes: when the server can be reached.
  [[nodiscard]] virtual asio::awaitable<void> restore(transport::transport& connection);

  /// The time that a case waits for an expected event.
  [[nodiscard]] virtual duration deadline() const noexcept { return std::chrono::seconds(20); }

  /// The unit of the times that a case lets pass: `ack_wait` and delays are a few units. It must be
  /// longer than the longest pause of the machine.
  [[nodiscard]] virtual duration patience() const noexcept { return std::chrono::seconds(1); }

  /// The limit for a message with its headers, in bytes; 0: no limit.
  [[nodiscard]] virtual std::size_t max_payload() const noexcept { return 1 << 20; }

  /// A number of messages of 1000 bytes that is more than a connection keeps while it is away; 0:
  /// more than a case can send.
  [[nodiscard]] virtual std::size_t too_many_to_keep() const noexcept { return 0; }

  /// `<prefix>.<name>`, a topic or pattern.
  [[nodiscard]] std::string topic(std::string_view name) const;

  /// The name of a stream of this case.
  [[nodiscard]] std::string stream(std::string_view name = "STREAM") const;

 private:
  const std::string prefix_;
};

/// The exception of a case that the transport fails.
class conformance_failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One requirement.
struct conformance_case {
  std::string name;                                         ///< a sentence
  transport::features needs;                                ///< the features that the case needs
  asio::awaitable<void> (*run)(transport_environment& in);  ///< throws if the transport fails
};
std::ostream& operator<<(std::ostream& out, const conformance_case& value);

/// All cases, in the order of `transport.hpp`.
[[nodiscard]] std::vector<conformance_case> transport_conformance();

/// The result of one case.
struct conformance_result {
  /// Whether the transport met the requirement.
  enum class verdict { passed, failed, skipped };
  verdict status = verdict::passed;  ///< the verdict
  std::string why = {};              ///< the failure, or the missing feature
};
std::ostream& operator<<(std::ostream& out, conformance_result::verdict value);
std::ostream& operator<<(std::ostream& out, const conformance_result& value);

/// Runs one case. The environment must outlive the awaitable.
///
/// Completes: with the verdict. A case whose features are missing is skipped. An exception of the
/// case is a failure, with its text.
/// Throws: nothing.
/// Cancellation: cancels the case, which then fails.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<conformance_result> run_conformance(conformance_case which,
                                                                  transport_environment& in);

}  // namespace msgbus::testing
