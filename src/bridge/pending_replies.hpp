#pragma once

// The requests that wait for their answers. Pure: no lock, no transport, no time.

#include <msgbus/error.hpp>
#include <msgbus/transport/envelope.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::bridging {

/// One request. States: waiting (it is in the table) -> answered, ended or given up (it is not).
struct pending_reply {
  struct ending {
    errc code;
    std::string why;
  };
  std::optional<envelope> answer;
  std::optional<ending> ended;  // no answer comes any more
};

/// States: open -> ended. A request that is added when it has ended ends at once.
class pending_replies {
 public:
  using reply = std::shared_ptr<pending_reply>;
  using key = std::uint64_t;

  /// The requests of a place are numbered from the one after `first_turn`.
  explicit pending_replies(std::uint32_t first_turn = 0) noexcept : first_turn_(first_turn) {}

  /// The key comes again after 2^32 more requests in its place. 0: no answer comes, `added->ended`
  /// says why.
  [[nodiscard]] key add(const reply& added);

  // Each takes out what it gives, and only the first of them does anything with a request. The
  // caller wakes what it is given.

  [[nodiscard]] reply answer(key of, envelope&& with);  // null: it came too late, or to nobody
  void give_up(key of) noexcept;
  /// The answers to all that wait are lost.
  [[nodiscard]] std::vector<reply> interrupt(const pending_reply::ending& ending);
  /// The same, and so are those that are added later.
  [[nodiscard]] std::vector<reply> end(const pending_reply::ending& ending);

  [[nodiscard]] bool has_ended() const noexcept { return ended_.has_value(); }

 private:
  /// A place for one request at a time. The key is the place, and how many requests it has had.
  struct place {
    reply waiting;  // null: it is free
    std::uint32_t turn = 0;
    std::uint32_t next_free = 0;
  };
  [[nodiscard]] reply take(key of) noexcept;

  const std::uint32_t first_turn_;
  std::vector<place> places_;
  std::uint32_t first_free_ = 0;  // `places_.size()`: none is free
  std::optional<pending_reply::ending> ended_;
};

/// A key as the last token of a topic, and back; 0 for anything else.
[[nodiscard]] std::string topic_of(std::string_view inbox, pending_replies::key of);
[[nodiscard]] pending_replies::key key_in(std::string_view topic, std::string_view inbox) noexcept;

}  // namespace msgbus::bridging
