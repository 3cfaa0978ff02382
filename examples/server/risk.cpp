#include "risk.hpp"

#include <utility>

#include "risk_check.hpp"

namespace exchange {

void add_risk_check(msgbus::async::service& service, asio::any_io_executor blocking) {
  service.handler("assess", assess, {.executor = std::move(blocking)});
}

}  // namespace exchange
