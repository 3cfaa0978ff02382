#pragma once

/// From a line of text to a line of text: reads a request, has it carried out, and writes the
/// answer. Every line gets exactly one; what is wrong with it is said in it.

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "business.hpp"

namespace exchange {

class request;

class gateway {
 public:
  /// What a request may ask of the connection on which it came.
  class connection {
   public:
    virtual void follow(const std::string& pattern) = 0;

    /// Of the connection as a whole.
    struct totals {
      std::uint64_t notices = 0;  // that were not dropped
      std::uint64_t dropped = 0;
    };
    virtual totals unfollow(const std::string& pattern) = 0;

   protected:
    ~connection() = default;
  };

  explicit gateway(business& carried_out_by);
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  /// Done when what the line asks for is done; the line must be there until then. Never throws for
  /// what is wrong with the line.
  [[nodiscard]] asio::awaitable<std::string> answer(std::string_view line, connection& from) const;

  // Lines that say why the connection is closed.

  /// After a line that is too long to be read.
  [[nodiscard]] static std::string too_long(std::size_t limit, std::string_view begin);
  /// When no whole line came for so long.
  [[nodiscard]] static std::string idle(std::chrono::milliseconds limit);
  /// When there are so many connections already.
  [[nodiscard]] static std::string no_room(int limit);

 private:
  // Adds the result to the text.
  using run = std::function<asio::awaitable<void>(const request& asked, connection& from,
                                                  std::string& result)>;
  struct entry {
    std::string usage;
    run function;
  };

  /// Hands a request to an operation whose arguments are these members of it, in this order.
  template <class R, class... Args, class... Names>
  void forward(const std::string& name, asio::awaitable<R> (business::*operation)(Args...),
               Names... members);
  void add(std::string name, std::string usage, run function);

  [[nodiscard]] const entry& find(const request& asked) const;
  [[nodiscard]] std::string failure(std::string_view id, const std::exception_ptr& why) const;
  void list_usages(std::string& result) const;
  [[nodiscard]] std::string help() const;

  business& business_;
  std::map<std::string, entry, std::less<>> commands_;
};

}  // namespace exchange
