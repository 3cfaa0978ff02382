#pragma once

// A real nats-server for one test: on a port of its own, with a store of its own. At the end
// of the test, also after a failure, it is killed and its folder is removed.

#include "support/reserved_port.hpp"
#include "support/thread_group.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace msgbus_test {

/// A folder that its destructor removes.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "msgbus_nats_XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// For one thread.
class nats_server {
 public:
  /// `arguments` are added to the server's command line.
  explicit nats_server(std::vector<std::string> arguments = {}) : arguments_(std::move(arguments)) {
    if (!start_once()) throw std::runtime_error("nats-server does not start:\n" + log());
  }
  ~nats_server() { end(SIGKILL); }
  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  [[nodiscard]] int port() const { return port_.number(); }
  [[nodiscard]] std::string url() const { return "nats://" + address(); }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  /// The output of the server.
  [[nodiscard]] std::string log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  /// Kills the server, without a message to its clients.
  void kill() { end(SIGKILL); }
  /// Ends the server in an orderly way: it notifies its clients and writes its state.
  void terminate() { end(SIGTERM); }
  /// After `kill` or `terminate`: on the same port, with the same store.
  void restart() {
    if (!start_once()) throw std::runtime_error("nats-server does not start again:\n" + log());
  }

  /// The server reads its configuration again.
  void reload() const { ::kill(pid_, SIGHUP); }

  /// Stops the server process: it sends nothing more, as if the network were cut.
  void freeze() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }
  void thaw() const { ::kill(pid_, SIGCONT); }

 private:
  // Returns whether the server accepts connections.
  bool start_once() {
    std::vector<std::string> line{
        MSGBUS_NATS_SERVER,     "-a",  "127.0.0.1", "-p",
        std::to_string(port()), "-js", "-sd",       (folder_.path() / "store").string()};
    line.insert(line.end(), arguments_.begin(), arguments_.end());
    std::vector<char*> arguments;
    for (std::string& each : line) arguments.push_back(each.data());
    arguments.push_back(nullptr);

    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    {
      const std::lock_guard lock(mutex_);
      log_.clear();
      said_all_ = false;
    }
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no new process");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive the test
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    reader_ = std::thread([this, from = ends[0]] { read_log(from); });
    std::unique_lock lock(mutex_);
    const bool in_time = said_.wait_for(lock, deadline, [&] { return said_all_ || is_ready(); });
    const bool ready = in_time && is_ready();
    lock.unlock();
    if (!ready) end(SIGKILL);
    return ready;
  }

  [[nodiscard]] bool is_ready() const { return log_.find("Server is ready") != std::string::npos; }

  void read_log(int from) {
    char text[4096];
    for (;;) {
      const ssize_t size = ::read(from, text, sizeof text);
      const std::lock_guard lock(mutex_);
      if (size > 0) log_.append(text, static_cast<std::size_t>(size));
      said_all_ = size <= 0;
      said_.notify_all();
      if (said_all_) break;
    }
    ::close(from);
  }

  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    if (signal != SIGKILL) ::kill(pid_, SIGCONT);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    reader_.join();
  }

  temporary_folder folder_;
  const std::vector<std::string> arguments_;
  const reserved_port port_;
  pid_t pid_ = 0;
  std::thread reader_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable said_;
  std::string log_;
  bool said_all_ = false;
};

/// A server with a configuration file that may be changed; `restart` or `reload` then reads it.
class configured_server : private temporary_folder, public nats_server {
 public:
  explicit configured_server(const std::string& configuration)
      : nats_server({"-c", written(temporary_folder::path(), configuration)}) {}

  void configure(const std::string& configuration) const {
    (void)written(temporary_folder::path(), configuration);
  }

 private:
  static std::string written(const std::filesystem::path& folder,
                             const std::string& configuration) {
    const std::string name = (folder / "server.conf").string();
    std::ofstream(name) << configuration;
    return name;
  }
};

}  // namespace msgbus_test
