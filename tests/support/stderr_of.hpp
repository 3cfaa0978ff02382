#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

namespace msgbus_test {

/// The output of `f` on stderr.
template <class F>
std::string stderr_of(F f) {
  std::fflush(stderr);
  const int before = dup(2);
  std::FILE* const file = std::tmpfile();
  dup2(fileno(file), 2);
  f();
  std::fflush(stderr);
  dup2(before, 2);
  close(before);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

}  // namespace msgbus_test
