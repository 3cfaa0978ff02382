#pragma once

// The exceptions of a piece of code, as values to check; and code that throws.

#include <msgbus/error.hpp>

#include <concepts>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

namespace msgbus_test {

/// The exception of `f`; null if it throws none.
template <class F>
std::exception_ptr thrown_by(F&& f) {
  try {
    f();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

/// A copy of the `T` that `f` throws. If it throws none, the test fails with an exception.
template <class T, class F>
T caught(F&& f) {
  try {
    f();
  } catch (const T& e) {
    return e;
  }
  throw std::logic_error("the test expected an exception, and none was thrown");
}

/// The code of the `msgbus::error` that `f` throws; no error if it throws none.
template <std::invocable F>
std::error_code code_of(F&& f) {
  try {
    f();
  } catch (const msgbus::error& e) {
    return e.code();
  }
  return {};
}

/// The code of this failure; no error if it is null or has none.
inline std::error_code code_of(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::system_error& e) {
    return e.code();
  }
  return {};
}

/// The text of the exception that `f` throws; empty if it throws none.
template <class F>
std::string text_of(F&& f) {
  const std::exception_ptr thrown = thrown_by(f);
  return thrown ? msgbus::describe(thrown) : std::string();
}

/// Fails at its first runs.
struct failing {
  explicit failing(int times) : left(times) {}
  void run() {
    ++runs;
    if (left-- > 0) throw std::runtime_error("no " + std::to_string(runs));
  }
  int left;
  int runs = 0;
};

}  // namespace msgbus_test
