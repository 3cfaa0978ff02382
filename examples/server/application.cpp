#include "application.hpp"

#include <utility>

#include "audit.hpp"
#include "process.hpp"
#include "risk.hpp"

namespace exchange {

// Components run their handlers on their executors: on a strand, one at a time. What a command
// waits for shares one with it, so that it changes no thread; only what blocks runs on the pool.
// Mailboxes are in front of those that are sent to; a sender waits when one is full. What is
// awaited needs none: there are never more commands on their way than there are connections.
application::application(asio::io_context& main, int threads, const asio::any_io_executor& blocking,
                         const std::string& audit_file, std::string prefix_of_notices)
    : audit_file_(audit_file),
      notifications_(publisher_, std::move(prefix_of_notices)),
      strand_(serial_executor(main, threads)),
      notifier_(serial_executor(main, threads), {.capacity = 4096}),
      audit_(serial_executor(main, threads), {.capacity = 4096}),
      projection_(strand_),
      queries_(strand_),
      risk_(strand_),
      commands_(strand_) {
  commands_.override(get_books, [this]() -> books& { return books_; });
  commands_.override(get_announcer, [this]() -> announcer& { return announcer_; });
  commands_.override(get_risk, [this]() -> msgbus::async::service& { return risk_; });

  command_ = add_commands(commands_);
  add_risk_check(risk_, blocking);
  keep_up_to_date(read_model_, projection_);
  query_ = add_queries(read_model_, queries_);
  write_facts(audit_file_, audit_);
  notifications_.attach(notifier_);

  announcer_.awaited.bind(projection_);
  announcer_.sent.bind(audit_, notifier_);
}

std::vector<component_stats> application::stats() const {
  return {{"commands", commands_.stats()},
          {"risk", risk_.stats()},
          {"queries", queries_.stats()},
          {"projection", projection_.stats()},
          {"audit", audit_.stats(), audit_file_.unwritten()},
          {"notifications", notifier_.stats()}};
}

asio::awaitable<std::vector<drained>> application::drain(
    std::chrono::steady_clock::time_point deadline) {
  std::vector<drained> reports;
  const auto left = [deadline] { return deadline - std::chrono::steady_clock::now(); };
  reports.push_back({"commands", {}});
  reports.back().report = co_await commands_.drain(left());
  reports.push_back({"risk", {}});
  reports.back().report = co_await risk_.drain(left());
  reports.push_back({"queries", {}});
  reports.back().report = co_await queries_.drain(left());
  reports.push_back({"projection", {}});
  reports.back().report = co_await projection_.drain(left());
  reports.push_back({"audit", {}});
  reports.back().report = co_await audit_.drain(left());
  co_await audit_file_.written(deadline);
  reports.push_back({"notifications", {}});
  reports.back().report = co_await notifier_.drain(left());
  co_return reports;
}

}  // namespace exchange
