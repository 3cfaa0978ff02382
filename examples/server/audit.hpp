#pragma once

/// Writes each fact to a file, one line each. Writing blocks, so it is done on a thread pool; the
/// consumer hands over one event at a time, so lines are in order and the file needs no lock.

#include <msgbus/async.hpp>

#include <cstdint>
#include <fstream>
#include <string>

#include "domain.hpp"

namespace exchange {

class audit_log {
 public:
  /// Starts the file anew. Throws if it cannot be opened. Without a name nothing is written.
  explicit audit_log(const std::string& file);

  /// The consumer must handle one event at a time, and not outlive this.
  void attach(msgbus::async::consumer& consumer, asio::any_io_executor blocking);

 private:
  template <class Event>
  void write(const Event& event);

  const std::string file_;
  std::ofstream out_;
  std::uint64_t lines_ = 0;
};

}  // namespace exchange
