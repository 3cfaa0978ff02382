#pragma once

/// Storing dead letters.

#include <msgbus/bridge/detail/dead_letter.hpp>
#include <msgbus/transport/transport.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace msgbus::bridging {

/// What became of a dead letter.
struct letter_result {
  std::optional<transport::stored> where;  // if it was stored
  std::exception_ptr refusal = nullptr;    // of the whole letter; then it is a shorter one
  std::exception_ptr failure = nullptr;    // if it was not stored
  bool never = false;                      // nor can it be: it was refused however short
};

/// Stores the letter of a message at a topic; where the transport refuses it for what it is, a
/// shorter one. The transport, the message and what `about` names must live until this completes.
/// Throws only `std::bad_alloc`.
[[nodiscard]] asio::awaitable<letter_result> store_letter(
    std::shared_ptr<transport::transport> over, std::string topic, const envelope& message,
    given_up about, std::chrono::steady_clock::duration timeout);

}  // namespace msgbus::bridging
