// A file that is opened, and closed again, and one that does not exist.

#include <msgbus/durable.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>

namespace {

asio::awaitable<void> run(const std::filesystem::path& file, asio::any_io_executor executor) {
  msgbus::durable::open_options options;
  options.file = file.string();
  const auto db = co_await msgbus::durable::open(executor, options);
  std::printf("%s is open\n", file.c_str());
}

}  // namespace

int main(int, char** arguments) {
  const std::filesystem::path file = std::filesystem::path(arguments[0]).concat(".db");
  asio::io_context io;
  asio::co_spawn(io, run(file, io.get_executor()), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  io.run();
  if (msgbus::durable::inspector(file.string()).status().version < 1) return 1;
  std::filesystem::remove(file);
  try {
    const msgbus::durable::inspector none(file.string());
  } catch (const msgbus::error& e) {
    std::printf("%s\n", e.what());
    return 0;
  }
  return 1;
}
