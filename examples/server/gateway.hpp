#pragma once

/// From a line of text to a line of text: reads a request, has it carried out, and writes the
/// answer. Every line gets exactly one; what is wrong with it is said in it.

#include <msgbus/async/service.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "json_fwd.hpp"

namespace exchange {

class gateway {
 public:
  /// What a request may ask of the connection on which it came.
  class connection {
   public:
    virtual json follow(std::string pattern) = 0;
    virtual json unfollow(std::string pattern) = 0;

   protected:
    ~connection() = default;
  };

  /// `commands` and `queries` have the operations that `commands.hpp` and `read_model.hpp` name;
  /// `stats` gives the answer to the request of that name.
  gateway(msgbus::async::service& commands, msgbus::async::service& queries,
          std::function<asio::awaitable<json>()> stats);
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  /// Done when what the line asks for is done. Never throws for what is wrong with the line.
  [[nodiscard]] asio::awaitable<std::string> answer(std::string line, connection& from) const;

  // Lines that say why the connection is closed.

  /// After a line that is too long to be read.
  [[nodiscard]] static std::string too_long(std::size_t limit, std::string_view begin);
  /// When no whole line came for so long.
  [[nodiscard]] static std::string idle(std::chrono::milliseconds limit);
  /// When there are so many connections already.
  [[nodiscard]] static std::string no_room(int limit);

 private:
  using run = std::function<asio::awaitable<json>(const json& request, connection& from)>;
  struct entry {
    std::string usage;
    run function;
  };

  /// Hands a request to an operation whose arguments are these members of it, in this order.
  template <class R, class... Args, class... Names>
  void forward(const std::string& name, msgbus::async::service& to, Names... members);
  void add(std::string name, std::string usage, run function);

  [[nodiscard]] asio::awaitable<json> carry_out(const json& request, connection& from) const;
  [[nodiscard]] std::string help() const;

  std::map<std::string, entry, std::less<>> commands_;
};

}  // namespace exchange
