#pragma once

/// The graph of a program: its components, their handlers and bindings, as plain values and as
/// text.

#include <msgbus/detail/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus {

/// The components of a program, their handlers and their bindings at the time of the call. Plain
/// values: later changes do not show.
struct graph {
  /// A line of the program; no file: unknown.
  struct place {
    std::string file = {};   ///< as the compiler was given it
    std::uint32_t line = 0;  ///< from 1
  };

  /// A dependency of a handler, of another dependency, or of an override.
  struct dependency {
    std::string name = {};               ///< of its function, or of the `required<T>`
    std::string type = {};               ///< of its value
    bool required = false;               ///< it has no default (`required<T>`)
    std::string overridden_by = {};      ///< the type of the override; empty: none
    place overridden_at = {};            ///< the line of `override`
    std::vector<dependency> needs = {};  ///< of the override, or else of the default

    /// Whether it can be resolved, with its own dependencies (I5).
    [[nodiscard]] bool provided() const noexcept;
  };

  /// An attached handler.
  struct handler {
    std::string label = {};  ///< as errors name it: `handler of order on 'orders.*'`
    std::vector<std::string> messages = {};  ///< the types that it accepts; empty: every type
    std::vector<std::string> patterns = {};  ///< of a subscriber's handler
    std::string operation = {};              ///< of a service's handler: its name
    std::string arguments = {};  ///< of an operation: the types, such as `int, std::string`
    std::string result = {};     ///< of an operation: the type
    place attached_at = {};      ///< the line of `handler` or `subscribe`
    bool coroutine = false;      ///< whether it is a coroutine
    std::string executor = {};   ///< of its policy; empty: the component's
    std::string policy = {};     ///< a summary; empty: it has none
    std::vector<dependency> dependencies = {};  ///< in the order of its parameters
  };

  /// The messages on one topic between processes.
  struct channel {
    /// A type of message.
    struct message {
      std::string name = {};          ///< of its type, as on the wire; of a command: its name
      std::string content_type = {};  ///< as it is written here by default; empty: unknown
    };

    std::string topic = {};              ///< or a pattern
    bool sends = false;                  ///< this process sends them; otherwise it receives them
    bool calls = false;                  ///< they are commands, which get replies
    std::vector<message> messages = {};  ///< empty: of unknown types
    std::vector<message> replies = {};   ///< to commands; empty: of unknown types
  };

  /// A component, or another object that messages pass.
  struct component {
    std::string id = {};                 ///< in this graph: `c1`
    std::string name = {};               ///< given by the program; empty: none
    std::string kind = {};               ///< "consumer", "publisher", "bridge", "link", ...
    std::string family = {};             ///< "sync" or "async"; empty for other objects
    bool closed = false;                 ///< it refuses new messages
    std::string executor = {};           ///< such as `io_context 1`: equal texts are equal contexts
    std::size_t capacity = 0;            ///< of the mailbox; 0: it has none
    std::size_t concurrency = 0;         ///< messages handled concurrently; 0: it has no mailbox
    std::string on_full = {};            ///< the overflow policy of its mailbox
    std::string detail = {};             ///< of a link: its direction
    std::vector<handler> handlers = {};  ///< in the order in which they were attached
    std::vector<std::string> servers = {};  ///< of a bridge: URLs without logins
    std::vector<channel> channels = {};     ///< of links, and of other traffic of a bridge

    /// `consumer "audit"`, or `consumer c3` for one without a name.
    [[nodiscard]] std::string label() const;
  };

  /// A binding, by which messages go from one component to another.
  struct binding {
    std::string from = {};   ///< the id of a component
    std::string to = {};     ///< the id of a component
    std::string group = {};  ///< bindings of one `bind_one_of` have the same; empty: bound alone
    std::string pick = {};   ///< how one of the group is chosen
    place bound_at = {};     ///< the line of `bind`; not of a group
  };

  std::vector<component> components = {};  ///< of a host: in the order of the flow, then all others
  std::vector<binding> bindings = {};      ///< in the order of their producers, and of binding
  std::string title = {};    ///< of the program, for `graph_format::asyncapi`; you set it
  std::string version = {};  ///< of the program, likewise

  /// The component with this id, or null.
  [[nodiscard]] const component* find(std::string_view id) const noexcept;
};

/// The forms of a graph.
enum class graph_format {
  text,      ///< for people
  json,      ///< one object, described by `docs/describe.schema.json`
  dot,       ///< for Graphviz
  mermaid,   ///< for Mermaid, as of many wikis
  asyncapi,  ///< AsyncAPI 3.0, as JSON: what this process sends and receives over bridges
};
std::ostream& operator<<(std::ostream& out, graph_format value);

/// The graph in this form. Names are escaped, whatever bytes they hold (O3).
[[nodiscard]] std::string describe(const graph& all, graph_format form = graph_format::text);

/// Writes the text form.
std::ostream& operator<<(std::ostream& out, const graph& all);
/// Writes `file.cpp:41`, or `unknown`.
std::ostream& operator<<(std::ostream& out, const graph::place& place);

}  // namespace msgbus
