#pragma once

/// Stores dead letters.

#include <msgbus/transport/transport.hpp>

#include "bridge/dead_letter.hpp"

#include <asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace msgbus::bridging {

/// The outcome of storing a dead letter.
struct dead_letter_result {
  std::optional<transport::stored> where;  // if it was stored
  std::exception_ptr refusal = nullptr;    // of the whole dead letter; a shorter one was stored
  std::exception_ptr failure = nullptr;    // set if it was not stored
  bool never = false;                      // it cannot be stored: the shortest form was refused
};

/// Stores the dead letter of a message at a topic; a shorter one if the transport refuses the whole
/// one, down to the form `shortest`. The transport, the message and the data of `details` must
/// exist until this completes. Throws only `std::bad_alloc`.
[[nodiscard]] asio::awaitable<dead_letter_result> store_dead_letter(
    std::shared_ptr<transport::transport> over, std::string topic, const envelope& message,
    given_up details, std::chrono::steady_clock::duration timeout,
    extent shortest = extent::no_payload);

}  // namespace msgbus::bridging
