#pragma once

/// Options of the form --name value, and --help. CLI11 reads them, in command_line.cpp alone: to
/// compile it takes longer than to compile most of these programs.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace exchange {

/// The functions that add an option are told its name, where its value goes, and its purpose. The
/// value that is there is the default.
class command_line {
 public:
  using milliseconds = std::chrono::milliseconds;

  command_line(const std::string& program, const std::string& purpose);
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;
  ~command_line();

  void number(const std::string& name, int& to, int least, int most, const std::string& purpose);
  /// `--port`, from `least` to 65535.
  void port(std::uint16_t& to, std::uint16_t least, const std::string& purpose);
  /// In seconds, or with a unit: 0.5, 500ms, 2min. At most an hour.
  void time(const std::string& name, milliseconds& to, milliseconds least,
            const std::string& purpose);
  void text(const std::string& name, std::string& to, const std::string& purpose);
  /// A text without spaces, and not empty.
  void word(const std::string& name, std::string& to, const std::string& purpose);
  /// The name of a file that exists.
  void file(const std::string& name, std::string& to, const std::string& purpose);
  /// An option without a value.
  void flag(const std::string& name, bool& to, const std::string& purpose);
  /// This option must be given.
  void require(const std::string& name);

  /// Sets the values. Ends the program if it is not to run: with 0 after --help, and with 2 after a
  /// sentence on stderr that names the option, and the value if that is wrong.
  void read(int argc, const char* const* argv);

 private:
  class parser;
  std::unique_ptr<parser> parser_;
};

}  // namespace exchange
