#pragma once

// A folder for the files of a durable database, and what its tests send.

#include <msgbus/durable/database.hpp>
#include <msgbus/durable/options.hpp>

#include "support/loop.hpp"

#include <SQLiteCpp/Database.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace msgbus_test {

/// A folder that is removed at the end.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "msgbus-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] std::string file(const std::string& name = "shop.db") const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// Another program's write lock on a file. It waits until the owner has ended a commit.
class raw_lock {
 public:
  explicit raw_lock(const std::string& file) : file_(file, SQLite::OPEN_READWRITE, 10'000) {
    file_.exec("begin immediate");
  }

 private:
  SQLite::Database file_;
};

using durable_ptr = std::shared_ptr<msgbus::durable::database>;

/// With pauses that do not keep a test waiting.
inline msgbus::durable::open_options quick(std::string file) {
  msgbus::durable::open_options made;
  made.file = std::move(file);
  made.synchronous = msgbus::durable::synchronous::off;  // no test here cuts the power
  made.retry.attempts = 3;
  made.retry.backoff = std::chrono::milliseconds(1);
  made.retry.max_backoff = std::chrono::milliseconds(1);
  return made;
}

inline durable_ptr open(loop& in, msgbus::durable::open_options options) {
  return in.run(msgbus::durable::open(in.executor(), std::move(options)));
}

}  // namespace msgbus_test
