#include <msgbus/testing/conformance.hpp>

#include <msgbus/error.hpp>

#include "testing/conformance_tools.hpp"

namespace msgbus::testing {

namespace {

asio::awaitable<void> cannot(const char* text) {
  throw std::logic_error("msgbus: this environment cannot " + std::string(text) + " connections");
  co_return;  // it makes this a coroutine
}

std::string lacking(const transport::features& needs, const transport_environment& in) {
  const transport::features has = in.supports();
  if (needs.durable && !has.durable) return "the transport has no streams";
  if (needs.persistent && !has.persistent) return "its streams do not persist";
  if (needs.holds_back && !has.holds_back) return "it does not hold senders back";
  if (needs.away && !has.away) return "its connections are never away";
  if (needs.away && !in.can_cut()) return "the environment cannot cut connections";
  return {};
}

}  // namespace

asio::awaitable<void> transport_environment::cut(transport::transport& /*connection*/) {
  return cannot("cut");
}

asio::awaitable<void> transport_environment::restore(transport::transport& /*connection*/) {
  return cannot("restore");
}

std::string transport_environment::topic(std::string_view name) const {
  return prefix_ + "." + std::string(name);
}

std::string transport_environment::stream(std::string_view name) const {
  return prefix_ + "_" + std::string(name);
}

std::vector<conformance_case> transport_conformance() {
  std::vector<conformance_case> all;
  conformance::add_topic_cases(all);
  conformance::add_header_cases(all);
  conformance::add_request_cases(all);
  conformance::add_stream_cases(all);
  conformance::add_stored_cases(all);
  conformance::add_durable_cases(all);
  conformance::add_redelivery_cases(all);
  conformance::add_lifetime_cases(all);
  conformance::add_limit_cases(all);
  return all;
}

asio::awaitable<conformance_result> run_conformance(conformance_case which,
                                                    transport_environment& in) {
  conformance_result result;
  result.why = lacking(which.needs, in);
  if (!result.why.empty()) {
    result.status = conformance_result::verdict::skipped;
    co_return result;
  }
  try {
    co_await which.run(in);
  } catch (...) {
    result.status = conformance_result::verdict::failed;
    result.why = describe(std::current_exception());
  }
  co_return result;
}

}  // namespace msgbus::testing
