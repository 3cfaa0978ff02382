#pragma once

/// The business, put together: which components there are, on which strands and pools they run, how
/// much may wait in front of each, and in which order messages flow. Knows of no sockets.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "audit_file.hpp"
#include "books.hpp"
#include "commands.hpp"
#include "notifications.hpp"
#include "projection.hpp"
#include "read_model.hpp"
#include "risk.hpp"
#include "unit_of_work.hpp"

namespace exchange {

class application {
 public:
  /// So many threads run `main`, where coroutines are; `blocking` runs what blocks. Both outlive
  /// this.
  application(asio::io_context& main, int threads, const asio::any_io_executor& blocking,
              const std::string& audit_file, std::string prefix_of_notices = {});

  [[nodiscard]] msgbus::async::service& commands() noexcept { return commands_; }
  [[nodiscard]] msgbus::async::service& queries() noexcept { return queries_; }
  /// For those who call them from other processes.
  [[nodiscard]] const command_operations& command() const noexcept { return command_; }
  [[nodiscard]] const query_operations& query() const noexcept { return query_; }
  /// Facts for whom commands wait.
  [[nodiscard]] msgbus::async::producer& facts() noexcept { return announcer_.awaited; }
  /// Notices, for whoever follows them.
  [[nodiscard]] msgbus::async::publisher& notices() noexcept { return publisher_; }

  /// Adds each component behind those that feed it.
  void join(msgbus::async::host& all);

  /// Of the risk check. Thread-safe.
  [[nodiscard]] const msgbus::circuit_breaker& risk_breaker() const noexcept {
    return *risk_breaker_;
  }

  /// Lines of the audit log that are not in the file yet. May be called from any thread.
  [[nodiscard]] std::uint64_t unwritten() const { return audit_file_.unwritten(); }

  /// To be called when nothing runs any more.
  [[nodiscard]] const totals& book_totals() const noexcept { return books_.sums(); }
  [[nodiscard]] totals read_model_totals() const { return read_model_.summary(); }

 private:
  /// The file of the audit log, for the host: what the component has handled is written in its
  /// turn.
  struct audit_writer {
    audit_file& file;
    static void close() noexcept {}
    asio::awaitable<msgbus::drain_report> drain(std::chrono::steady_clock::duration deadline);
  };

  // What handlers refer to comes first, so that it goes last.
  books books_;
  read_model read_model_;
  audit_file audit_file_;
  audit_writer audit_writer_{audit_file_};
  announcer announcer_;
  msgbus::async::publisher publisher_;
  notifications notifications_;

  const std::shared_ptr<msgbus::circuit_breaker> risk_breaker_ = make_risk_breaker();

  asio::any_io_executor strand_;
  msgbus::async::consumer notifier_;
  msgbus::async::consumer audit_;
  msgbus::async::consumer projection_;
  msgbus::async::service queries_;
  msgbus::async::service risk_;
  msgbus::async::service commands_;
  command_operations command_;
  query_operations query_;
};

}  // namespace exchange
