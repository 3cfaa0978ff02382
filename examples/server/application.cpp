#include "application.hpp"

#include <utility>

#include "audit.hpp"
#include "process.hpp"

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
  add_risk_check(risk_, blocking, risk_breaker_);
  keep_up_to_date(read_model_, projection_);
  query_ = add_queries(read_model_, queries_);
  write_facts(audit_file_, audit_);
  notifications_.attach(notifier_);

  announcer_.awaited.bind(projection_);
  announcer_.sent.bind(audit_, notifier_);
}

void application::join(msgbus::async::host& all) {
  all.add("commands", commands_);
  all.add("risk", risk_);
  all.add("queries", queries_);
  all.add("projection", projection_);
  all.add("audit", audit_);
  all.add("audit file", audit_writer_);
  all.add("notifications", notifier_);
}

asio::awaitable<msgbus::drain_report> application::audit_writer::drain(
    std::chrono::steady_clock::duration deadline) {
  const std::uint64_t before = file.unwritten();
  co_await file.written(std::chrono::steady_clock::now() + deadline);
  msgbus::drain_report report;
  report.abandoned = file.unwritten();
  report.handled = before - report.abandoned;
  co_return report;
}

}  // namespace exchange
