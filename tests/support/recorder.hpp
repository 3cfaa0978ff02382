#pragma once

// An observer that records each step.

#include <msgbus/error.hpp>
#include <msgbus/observer.hpp>

#include <string>
#include <vector>

namespace msgbus_test {

/// For one thread. `steps` has one line a step, such as `failed order on a.b: no stock`.
class recorder : public msgbus::observer {
 public:
  void accepted(const msgbus::step& s) noexcept override { note("accepted", s); }
  void delivered(const msgbus::step& s) noexcept override { note("delivered", s); }
  void failed(const msgbus::step& s, const std::exception_ptr& e) noexcept override {
    note("failed", s);
    steps.back() += ": " + msgbus::describe(e);
  }
  void dropped(const msgbus::step& s) noexcept override { note("dropped", s); }
  void unrouted(const msgbus::step& s) noexcept override { note("unrouted", s); }

  std::vector<std::string> steps;

 private:
  void note(const char* what, const msgbus::step& s) {
    std::string line = std::string(what) + " " + std::string(s.message);
    if (!s.topic.empty()) line += " on " + std::string(s.topic);
    steps.push_back(line);
  }
};

}  // namespace msgbus_test
