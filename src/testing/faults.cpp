#include <msgbus/testing/faults.hpp>

#include <cassert>
#include <mutex>
#include <random>
#include <string>

namespace msgbus::testing {

namespace detail {

class fault_plan {
 public:
  explicit fault_plan(std::function<bool(std::size_t)> fails) : fails_(std::move(fails)) {}

  fault next() {
    const std::lock_guard lock(mutex_);
    ++calls_;
    if (!fails_(calls_)) return {};
    ++thrown_;
    std::exception_ptr failure = exception_;
    if (!failure) {
      failure = std::make_exception_ptr(
          injected_fault("msgbus: a fault injected into call " + std::to_string(calls_)));
    }
    return after_ ? fault{nullptr, std::move(failure)} : fault{std::move(failure), nullptr};
  }

  void set_after(bool after) {
    const std::lock_guard lock(mutex_);
    after_ = after;
  }

  void set_exception(std::exception_ptr exception) {
    const std::lock_guard lock(mutex_);
    exception_ = std::move(exception);
  }

  [[nodiscard]] std::size_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  [[nodiscard]] std::size_t thrown() const {
    const std::lock_guard lock(mutex_);
    return thrown_;
  }

 private:
  mutable std::mutex mutex_;
  const std::function<bool(std::size_t)> fails_;
  std::exception_ptr exception_;
  bool after_ = false;
  std::size_t calls_ = 0;
  std::size_t thrown_ = 0;
};

fault next_fault(fault_plan& plan) { return plan.next(); }

}  // namespace detail

faults::faults(std::function<bool(std::size_t)> fails)
    : plan_(std::make_shared<detail::fault_plan>(std::move(fails))) {}

faults faults::nth(std::size_t n) {
  assert(n > 0 && "msgbus: calls are counted from 1");
  return faults([n](std::size_t call) { return call == n; });
}

faults faults::every(std::size_t n) {
  assert(n > 0 && "msgbus: calls are counted from 1");
  return faults([n](std::size_t call) { return call % n == 0; });
}

faults faults::sometimes(double probability, std::uint64_t seed) {
  // Not a standard distribution: its results differ between standard libraries.
  return faults([probability, random = std::mt19937_64(seed)](std::size_t) mutable {
    return static_cast<double>(random() >> 11) * 0x1p-53 < probability;
  });
}

faults faults::always() {
  return faults([](std::size_t) { return true; });
}

faults faults::never() {
  return faults([](std::size_t) { return false; });
}

faults faults::before() {
  plan_->set_after(false);
  return *this;
}

faults faults::after() {
  plan_->set_after(true);
  return *this;
}

faults faults::throwing(std::exception_ptr exception) {
  plan_->set_exception(std::move(exception));
  return *this;
}

std::size_t faults::calls() const { return plan_->calls(); }

std::size_t faults::thrown() const { return plan_->thrown(); }

}  // namespace msgbus::testing
