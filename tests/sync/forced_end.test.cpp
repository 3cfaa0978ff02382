// The guide's statement about a handler that exits its thread.

#include <msgbus/sync.hpp>

#include "support/catch.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

namespace forced_end_test {

#if defined(__GLIBC__)

namespace {

[[noreturn]] void end_a_thread_in_a_handler(int errors_to) {
  std::signal(SIGABRT, SIG_DFL);
  dup2(errors_to, 2);
  msgbus::sync::consumer consumer;
  consumer.handler([](int) { pthread_exit(nullptr); });
  std::thread([&] { consumer.consume(1); }).join();
  std::_Exit(0);
}

}  // namespace

TEST_CASE("a handler that exits its thread ends the process, with a reason on stderr") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) end_a_thread_in_a_handler(ends[1]);
  close(ends[1]);
  std::string said;
  char buffer[256];
  for (ssize_t size = 0; (size = read(ends[0], buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(said.find("exception not rethrown") != std::string::npos);
}

#endif

}  // namespace forced_end_test
