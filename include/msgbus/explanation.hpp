#pragma once

/// Why a message reaches a handler, and why it does not reach the others.

#include <msgbus/graph.hpp>

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus {

/// The answer to "where does this message go?" at the time of the call. Plain values.
struct explanation {
  /// One handler.
  struct entry {
    std::string component = {};   ///< `consumer "audit"`
    graph::handler handler = {};  ///< with its line
    std::string executor = {};    ///< where it runs; empty: on the thread of the call
    std::string pattern = {};     ///< of a subscriber: the first pattern that matches the topic
    std::vector<std::string> reasons =
        {};  ///< why it does not run, or what may still keep it from that
  };

  std::string question = {};            ///< `order_placed, dispatched by the producer`
  std::vector<entry> run = {};          ///< the handlers that run, in this order in each component
  std::vector<entry> others = {};       ///< the other handlers of the components, and why not
  std::vector<std::string> notes = {};  ///< of the components themselves, or of the message

  /// Whether a handler runs.
  [[nodiscard]] bool arrives() const noexcept { return !run.empty(); }
  /// The text for people.
  [[nodiscard]] std::string text() const;
};

/// Writes the text.
std::ostream& operator<<(std::ostream& out, const explanation& value);

}  // namespace msgbus
