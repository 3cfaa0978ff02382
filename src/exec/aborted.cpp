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

}  // namespace msgbus::exec
