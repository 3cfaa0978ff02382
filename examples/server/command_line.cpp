#include "command_line.hpp"

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

namespace exchange {
namespace {

constexpr std::chrono::milliseconds longest_time = std::chrono::hours(1);

std::string range(const std::string& least, const std::string& most) {
  return "from " + least + " to " + most;
}

// Without the zeros at the end.
std::string seconds(std::chrono::milliseconds time) {
  std::string text = std::to_string(std::chrono::duration<double>(time).count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// CLI11 asks a check for a sentence, which is empty if the value is right, and puts the option's
// name before it.
std::string wrong(const std::string& wanted, const std::string& given) {
  return "must be " + wanted + ", not '" + given + "'";
}

auto is_number(int least, int most) {
  return [=](const std::string& given) {
    int value = 0;
    const bool right = CLI::detail::lexical_cast(given, value) && value >= least && value <= most;
    return right ? std::string()
                 : wrong("a whole number " + range(std::to_string(least), std::to_string(most)),
                         given);
  };
}

// Nothing if the text is no time.
std::optional<std::chrono::milliseconds> read_time(std::string text) {
  static const CLI::AsNumberWithUnit unit(
      std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"min", 60}});
  double value = 0;
  if (text.find_first_of("0123456789") != 0) return std::nullopt;
  try {
    if (!unit(text).empty() || !CLI::detail::lexical_cast(text, value)) return std::nullopt;
  } catch (const CLI::ValidationError&) {
    return std::nullopt;
  }
  if (value > 1e9) return std::nullopt;
  return std::chrono::milliseconds(std::llround(value * 1000));
}

auto is_time(std::chrono::milliseconds least) {
  return [=](const std::string& given) {
    const auto value = read_time(given);
    const bool right = value && *value >= least && *value <= longest_time;
    return right ? std::string()
                 : wrong("a time " + range(seconds(least), seconds(longest_time)) +
                             " in seconds, or with ms, s or min after the number",
                         given);
  };
}

std::string is_word(const std::string& given) {
  const bool right = !given.empty() && given.find_first_of(" \t\r\n") == std::string::npos;
  return right ? std::string() : wrong("a word without spaces", given);
}

std::string is_file(std::string given) {
  return CLI::ExistingFile(given).empty() ? std::string()
                                          : wrong("the name of a file that exists", given);
}

}  // namespace

class command_line::parser {
 public:
  parser(const std::string& program, const std::string& purpose) : app(purpose, program) {
    app.set_help_flag("--help", "print this and exit");
  }

  // `kind` stands for the value in the list of options.
  template <class Value>
  CLI::Option& add(const std::string& name, Value& to, const std::string& kind,
                   const std::string& purpose) {
    return *app.add_option(name, to, purpose)->type_name(kind);
  }

  CLI::App app;
};

command_line::command_line(const std::string& program, const std::string& purpose)
    : parser_(std::make_unique<parser>(program, purpose)) {}

command_line::~command_line() = default;

void command_line::number(const std::string& name, int& to, int least, int most,
                          const std::string& purpose) {
  const std::string limits = range(std::to_string(least), std::to_string(most));
  parser_->add(name, to, "NUMBER", purpose + ", " + limits)
      .check(is_number(least, most))
      ->capture_default_str();
}

void command_line::port(std::uint16_t& to, std::uint16_t least, const std::string& purpose) {
  parser_->add("--port", to, "PORT", purpose)
      .check(is_number(least, UINT16_MAX))
      ->capture_default_str();
}

void command_line::time(const std::string& name, milliseconds& to, milliseconds least,
                        const std::string& purpose) {
  const auto set = [&to](const std::string& given) { to = read_time(given).value(); };
  parser_->app.add_option_function<std::string>(name, set, purpose)
      ->type_name("SECONDS")
      ->check(is_time(least))
      ->default_str(seconds(to));
}

void command_line::text(const std::string& name, std::string& to, const std::string& purpose) {
  parser_->add(name, to, "TEXT", purpose).capture_default_str();
}

void command_line::word(const std::string& name, std::string& to, const std::string& purpose) {
  parser_->add(name, to, "WORD", purpose).check(is_word)->capture_default_str();
}

void command_line::file(const std::string& name, std::string& to, const std::string& purpose) {
  parser_->add(name, to, "FILE", purpose).check(is_file);
}

void command_line::flag(const std::string& name, bool& to, const std::string& purpose) {
  parser_->app.add_flag(name, to, purpose);
}

void command_line::require(const std::string& name) { parser_->app.get_option(name)->required(); }

void command_line::read(int argc, const char* const* argv) {
  CLI::App& app = parser_->app;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    std::exit(0);
  } catch (const CLI::ParseError& mistake) {
    std::fprintf(stderr, "%s: %s (--help lists the options)\n", app.get_name().c_str(),
                 mistake.what());
    std::exit(2);
  }
}

}  // namespace exchange
