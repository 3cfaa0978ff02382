#include "risk.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "risk_check.hpp"

namespace exchange {

namespace {

constexpr std::chrono::seconds longest_wait{2};  // with the wait for a free thread

bool is_trouble(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const refusal&) {
    return false;
  } catch (...) {
    return true;
  }
}

}  // namespace

std::shared_ptr<msgbus::circuit_breaker> make_risk_breaker() {
  return std::make_shared<msgbus::circuit_breaker>(
      msgbus::breaker_options{.counts = is_trouble, .name = "risk"});
}

void add_risk_check(msgbus::async::service& service, asio::any_io_executor blocking,
                    std::shared_ptr<msgbus::circuit_breaker> breaker) {
  service.handler(
      "assess", assess,
      {.executor = std::move(blocking), .breaker = std::move(breaker), .deadline = longest_wait});
}

}  // namespace exchange
