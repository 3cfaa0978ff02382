#include "core/say.hpp"

#include <msgbus/core/error.hpp>

#include "core/text.hpp"

#include <cstdio>
#include <string>

namespace msgbus::detail {

void say(std::initializer_list<std::string_view> parts,
         const std::exception_ptr& failure) noexcept {
  try {
    std::string line;
    for (const std::string_view each : parts) line += each;
    if (failure) line += msgbus::describe(failure);
    line = "msgbus: " + escaped(line) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  } catch (...) {
    std::fputs("msgbus: an error cannot be reported: out of memory\n", stderr);
  }
}

void say_thrown_by(std::string_view where) noexcept {
  say({where, " threw an exception, which it must not do: "}, std::current_exception());
}

}  // namespace msgbus::detail
