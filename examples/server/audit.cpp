#include "audit.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include "json.hpp"

namespace exchange {

audit_log::audit_log(const std::string& file) : file_(file) {
  if (file.empty()) return;
  out_.open(file, std::ios::trunc);
  if (!out_) {
    throw std::system_error(errno, std::generic_category(), "cannot open the audit log " + file_);
  }
}

void audit_log::attach(msgbus::async::consumer& consumer, asio::any_io_executor blocking) {
  consumer.handler<account_opened, money_deposited, money_withdrawn, order_placed, order_cancelled>(
      [this](const auto& event) { write(event); }, {.executor = std::move(blocking)});
}

template <class Event>
void audit_log::write(const Event& event) {
  if (!out_.is_open()) return;
  json line = {{"n", ++lines_}, {"event", name_of(event)}};
  line.update(json(event));
  out_ << to_line(line) << std::flush;
  if (!out_) throw std::runtime_error("cannot write the audit log " + file_);
}

}  // namespace exchange
