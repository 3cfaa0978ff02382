#include <msgbus/exec/aborted.hpp>

#include "support/catch.hpp"

#include <asio/error.hpp>
#include <asio/system_error.hpp>

#include <stdexcept>

namespace aborted_test {

using msgbus::exec::is_aborted;

TEST_CASE("Asio's operation_aborted is known from other failures", "[A9]") {
  CHECK(is_aborted(std::make_exception_ptr(asio::system_error(asio::error::operation_aborted))));
  CHECK_FALSE(is_aborted(std::make_exception_ptr(asio::system_error(asio::error::eof))));
  CHECK_FALSE(is_aborted(std::make_exception_ptr(std::runtime_error("aborted"))));
  CHECK_FALSE(is_aborted(nullptr));
}

}  // namespace aborted_test
