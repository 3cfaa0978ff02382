#include "application.hpp"

#include <asio/strand.hpp>

#include <utility>

#include "risk.hpp"

namespace exchange {

// Components run their handlers on their executors: on a strand, one at a time. Mailboxes are in
// front of those that are sent to; a sender waits when one is full. What is awaited needs none:
// there are never more commands on their way than there are connections.
application::application(const asio::any_io_executor& main, const asio::any_io_executor& blocking,
                         const std::string& audit_file, std::string prefix_of_notices)
    : audit_log_(audit_file),
      notifications_(publisher_, std::move(prefix_of_notices)),
      read_model_strand_(asio::make_strand(main)),
      notifier_(asio::make_strand(main), {.capacity = 4096}),
      audit_(asio::make_strand(main), {.capacity = 4096}),
      projection_(read_model_strand_),
      queries_(read_model_strand_),
      risk_(asio::make_strand(main)),
      commands_(asio::make_strand(main)) {
  commands_.override(get_books, [this]() -> books& { return books_; });
  commands_.override(get_announcer, [this]() -> announcer& { return announcer_; });
  commands_.override(get_risk, [this]() -> msgbus::async::service& { return risk_; });

  command_ = add_commands(commands_);
  add_risk_check(risk_, blocking);
  read_model_.attach(projection_);
  query_ = read_model_.attach(queries_);
  audit_log_.attach(audit_, blocking);
  notifications_.attach(notifier_);

  announcer_.awaited.bind(projection_);
  announcer_.sent.bind(audit_, notifier_);
}

std::vector<component_stats> application::stats() const {
  return {{"commands", commands_.stats()}, {"risk", risk_.stats()},
          {"queries", queries_.stats()},   {"projection", projection_.stats()},
          {"audit", audit_.stats()},       {"notifications", notifier_.stats()}};
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
  reports.push_back({"notifications", {}});
  reports.back().report = co_await notifier_.drain(left());
  co_return reports;
}

}  // namespace exchange
