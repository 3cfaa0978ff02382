// A page about a program, which nobody looks at.

#include <msgbus/async.hpp>
#include <msgbus/host.hpp>
#include <msgbus/monitor.hpp>

#include <asio/io_context.hpp>

#include <cstdio>

int main() {
  asio::io_context io;
  msgbus::async::host all(io);
  auto& audit = all.emplace<msgbus::async::consumer>("audit");
  int handled = 0;
  audit.handler([&](int added) { handled += added; });
  const msgbus::monitor page(all, msgbus::monitor_options{.title = "uses_monitor"});
  std::printf("%s\n", page.url().c_str());
  if (!audit.post<int>(7).admitted) return 1;
  io.run();
  return handled == 7 && page.port() != 0 ? 0 : 1;
}
