#include <msgbus/exec/aborted.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>

namespace msgbus::exec {

bool is_aborted(const std::exception_ptr& thrown) noexcept {
  if (!thrown) return false;
  try {
    std::rethrow_exception(thrown);
  } catch (const asio::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::exception_ptr aborted(const char* wait) noexcept {
  return std::make_exception_ptr(asio::system_error(asio::error::operation_aborted, wait));
}

void throw_aborted(const char* wait) {
  throw asio::system_error(asio::error::operation_aborted, wait);
}

}  // namespace msgbus::exec
