#include <msgbus/detail/observe/failure_recorder.hpp>

#include <msgbus/detail/observe/observer_slot.hpp>
#include <msgbus/observer.hpp>

#include "support/catch.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace failure_recorder_test {

using msgbus::detail::failure_recorder;
using msgbus::detail::observer_slot;
using msgbus::routing::domain;

namespace {

struct noted : failure_recorder {
  std::vector<std::string> heard;

  void failed(const msgbus::step& message, const msgbus::routing::entry*, const std::exception_ptr&,
              bool repeated) noexcept override {
    heard.push_back(std::string(message.message) + (repeated ? " again" : ""));
  }
  void unrouted(const msgbus::step& message) noexcept override {
    heard.push_back(std::string(message.message) + " unrouted");
  }
};

}  // namespace

TEST_CASE("recorders hear of failures beside an observer, each until it is removed") {
  const domain guarded;
  observer_slot slot;
  const auto first = std::make_shared<noted>();
  const auto second = std::make_shared<noted>();
  slot.add_recorder(guarded, first);
  slot.set(guarded, std::make_shared<msgbus::observer>());
  slot.add_recorder(guarded, second);
  REQUIRE(slot.attachments_now());
  CHECK(slot.attachments_now()->has_others);
  const auto why = std::make_exception_ptr(std::runtime_error("no disk"));
  slot.attachments_now()->record_failure({"order", {}}, nullptr, why, true);
  slot.remove_recorder(guarded, *first);
  slot.set(guarded, nullptr);
  slot.attachments_now()->record_unrouted({"refund", {}});
  CHECK(first->heard == std::vector<std::string>{"order again"});
  CHECK(second->heard == std::vector<std::string>{"order again", "refund unrouted"});
  slot.remove_recorder(guarded, *second);
  CHECK(slot.attachments_now() == nullptr);  // a component that nothing watches pays nothing
}

}  // namespace failure_recorder_test
