#include "server_options.hpp"

#include "command_line.hpp"

namespace exchange {

server_options read_server_options(const std::string& program, int argc, char** argv,
                                   server_extras extras) {
  using namespace std::chrono_literals;
  server_options given;
  command_line line(program, "Accounts and orders, as JSON lines over TCP.");
  line.port(given.port, 0, "where clients connect; 0 is any port that is free");
  line.text("--audit", given.audit, "the file for the audit log; without it there is none");
  line.number("--threads", given.threads, 1, 64, "threads that run coroutines");
  line.number("--pool", given.pool, 1, 256, "threads for what blocks");
  line.time("--deadline", given.deadline, 0ms, "the time for finishing after Ctrl-C");
  line.number("--connections", given.limits.connections, 1, 10'000, "clients at the same time");
  line.time("--idle-timeout", given.limits.idle_timeout, 1ms,
            "a client that sends no whole line for so long, or takes nothing, is disconnected");
  line.time("--gather-notices", given.limits.gather_notices, 0ms,
            "how long a notice waits for others that are written together with it");
  if (extras.page) {
    line.flag("--page", given.page, "serves a page about the server, and prints its address");
    line.number("--page-port", given.page_port, 0, 65535,
                "of the page; 0 is any port that is free");
  }
  if (extras.file) {
    line.text("--books", given.books, "the file of the books");
    line.require("--books");
    line.text("--check", given.check,
              "serves nobody: compares the books with the numbers of orders in this file");
  }
  line.read(argc, argv);
  return given;
}

}  // namespace exchange
