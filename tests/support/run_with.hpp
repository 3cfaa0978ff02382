#pragma once

// Other programs that check texts.

#include "support/catch.hpp"

#include <cstdio>
#include <string>

#include <sys/wait.h>

namespace msgbus_test {

/// The exit code of a command that gets the text as its input.
inline int run_with(const std::string& command, const std::string& input) {
  std::FILE* const program = popen(command.c_str(), "w");
  REQUIRE(program);
  CHECK(std::fwrite(input.data(), 1, input.size(), program) == input.size());
  return WEXITSTATUS(pclose(program));
}

}  // namespace msgbus_test
