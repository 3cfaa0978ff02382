#pragma once

/// What the workers have done, in one file for all of them: lines are only ever appended, each in
/// one piece and under a lock of the file, so that a worker that is killed leaves no half of
/// anything. A line `handled` is the effect itself, the invoice; so there is no moment in which one
/// is there without the other. For one thread of each process.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace exchange {

class journal {
 public:
  /// Opens the file, or makes it. Throws if it cannot.
  journal(const std::string& file, std::string worker);
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;
  ~journal();

  /// A message has come. False if it was handled before, by whichever worker: then it is written
  /// down as a duplicate.
  [[nodiscard]] bool begin(std::string_view message_id, std::int64_t order, unsigned attempt);

  /// It is handled now. False if another worker was quicker: then this one was overtaken.
  [[nodiscard]] bool handled(std::string_view message_id, std::int64_t order, unsigned attempt);

  /// Nothing came of it this time.
  void failed(std::string_view message_id, std::int64_t order, unsigned attempt);

  struct line {
    std::string what;  ///< begun, handled, failed, overtaken; or duplicate: not even begun
    std::string message_id;
    std::int64_t order = 0;
    std::string worker;
    unsigned attempt = 0;
  };
  /// All whole lines of a file.
  [[nodiscard]] static std::vector<line> read(const std::string& file);

 private:
  class locked;

  void catch_up();
  void write(const char* what, std::string_view message_id, std::int64_t order, unsigned attempt);

  const std::string worker_;
  int file_ = -1;
  std::int64_t read_to_ = 0;
  std::unordered_set<std::string> handled_;
};

}  // namespace exchange
