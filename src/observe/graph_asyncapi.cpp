// The messages of a graph that cross bridges, as AsyncAPI 3.0 describes them
// (docs/design/0035-asyncapi.md).

#include "observe/graph_forms.hpp"
#include "observe/json_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace msgbus::detail {

namespace asyncapi {

namespace {

/// A key of a document, which references name: of letters, digits, `-` and `_`.
std::string key_of(std::string_view text) {
  std::string key;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
    key += is_plain ? c : '_';
  }
  return key.empty() ? "_" : key;
}

/// The key, or one like it that none of these has.
template <class All, class Key>
std::string unused_key(const std::string& wanted, const All& all, Key key) {
  std::string made = wanted;
  for (std::size_t i = 2; std::ranges::find(all, made, key) != all.end(); ++i) {
    made = wanted + '_' + std::to_string(i);
  }
  return made;
}

std::string reference(const std::string& to) { return "{\"$ref\":" + json_string(to) + '}'; }

// --- Topics. -------------------------------------------------------------------------------------

struct parameter {
  std::string name;
  const char* description;
};

/// A topic or a pattern as an address.
struct address {
  std::string text = {};
  std::vector<parameter> parameters = {};
};

/// Without what has a meaning in an address.
std::string literal(std::string_view token) {
  std::string made;
  for (const char c : token) {
    switch (c) {
      case '{': made += "%7B"; break;
      case '}': made += "%7D"; break;
      case '?': made += "%3F"; break;
      case '#': made += "%23"; break;
      case '/': made += "%2F"; break;
      case '%': made += "%25"; break;
      default: made += c;
    }
  }
  return made;
}

address address_of(std::string_view topic) {
  address made;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = topic.find('.');
    const std::string_view token = topic.substr(0, end);
    if (token == "*") {
      made.parameters.push_back({"token" + std::to_string(number), "One token of the topic."});
      made.text += '{' + made.parameters.back().name + '}';
    } else if (token == ">") {
      made.parameters.push_back({"rest", "One or more tokens of the topic."});
      made.text += "{rest}";
    } else {
      made.text += literal(token);
    }
    if (end == std::string_view::npos) return made;
    made.text += '.';
    topic.remove_prefix(end + 1);
  }
}

// --- The parts of a document. --------------------------------------------------------------------

struct server {
  std::string key;
  std::string url;  // empty: of a transport without addresses
  const graph::component* of;
};

struct message {
  std::string key;
  graph::channel::message is;
  std::string summary = {};
};

struct channel {
  std::string key;
  std::optional<std::string> topic;  // empty: each command names it
  const graph::component* over;      // a bridge, or null
  std::vector<message> messages = {};
};

struct operation {
  std::string key;
  std::size_t on;  // a channel
  bool sends;
  std::vector<std::string> messages = {};
  std::optional<std::size_t> reply = {};  // a channel
};

class document {
 public:
  explicit document(const graph& of) : of_(of) {
    for (const graph::component& each : of.components) {
      if (each.kind == "bridge") add_servers(each);
    }
    for (const graph::component& each : of.components) {
      for (const graph::channel& one : each.channels) add(each, one);
    }
  }

  [[nodiscard]] std::string text() const;

 private:
  void add_servers(const graph::component& bridge) {
    const std::string name = key_of(bridge.name.empty() ? bridge.id : bridge.name);
    std::vector<std::string> urls = bridge.servers;
    if (urls.empty()) urls.emplace_back();
    for (std::string& url : urls) {
      std::string key = unused_key(name, servers_, &server::key);
      servers_.push_back({std::move(key), std::move(url), &bridge});
    }
  }

  void add(const graph::component& owner, const graph::channel& one) {
    const std::size_t on = channel_for(one.topic, key_of(one.topic), bridge_of(owner));
    operation& by = operation_for(on, one.sends);
    for (const graph::channel::message& each : one.messages) {
      const std::string key = add_message(channels_[on], each, signature_of(owner, one, each));
      if (std::ranges::find(by.messages, key) == by.messages.end()) by.messages.push_back(key);
    }
    if (!one.calls) return;
    if (!by.reply) {
      by.reply = channels_.size();
      const std::string key = channels_[on].key + "_reply";
      const graph::component* const over = channels_[on].over;
      channels_.push_back({unused_key(key, channels_, &channel::key), std::nullopt, over});
    }
    for (const graph::channel::message& each : one.replies) {
      (void)add_message(channels_[*by.reply], each, {});
    }
  }

  [[nodiscard]] std::size_t channel_for(const std::string& topic, const std::string& key,
                                        const graph::component* over) {
    const auto same = [&](const channel& each) { return each.topic == topic && each.over == over; };
    const auto found = std::ranges::find_if(channels_, same);
    if (found != channels_.end()) return static_cast<std::size_t>(found - channels_.begin());
    channels_.push_back({unused_key(key, channels_, &channel::key), topic, over});
    return channels_.size() - 1;
  }

  [[nodiscard]] operation& operation_for(std::size_t on, bool sends) {
    const auto same = [&](const operation& each) { return each.on == on && each.sends == sends; };
    const auto found = std::ranges::find_if(operations_, same);
    if (found != operations_.end()) return *found;
    const std::string key = (sends ? "send_" : "receive_") + channels_[on].key;
    return operations_.emplace_back(
        operation{unused_key(key, operations_, &operation::key), on, sends});
  }

  /// Returns the key of the message.
  static std::string add_message(channel& to, const graph::channel::message& added,
                                 const std::string& summary) {
    const auto same = [&](const message& each) {
      return each.is.name == added.name && each.is.content_type == added.content_type;
    };
    const auto found = std::ranges::find_if(to.messages, same);
    if (found != to.messages.end()) return found->key;
    std::string key = unused_key(key_of(added.name), to.messages, &message::key);
    return to.messages.emplace_back(message{std::move(key), added, summary}).key;
  }

  /// The component at the other end of a binding with this one, of which the function is true.
  template <class Test>
  [[nodiscard]] const graph::component* neighbour(const graph::component& of, Test test) const {
    for (const graph::binding& each : of_.bindings) {
      const bool is_one = each.from == of.id || each.to == of.id;
      const graph::component* const other =
          is_one ? of_.find(each.from == of.id ? each.to : each.from) : nullptr;
      if (other && test(*other)) return other;
    }
    return nullptr;
  }

  [[nodiscard]] const graph::component* bridge_of(const graph::component& owner) const {
    return neighbour(owner, [](const graph::component& each) { return each.kind == "bridge"; });
  }

  /// `update(int, std::string) -> bool` of a command that is served here; else empty.
  [[nodiscard]] std::string signature_of(const graph::component& link, const graph::channel& on,
                                         const graph::channel::message& command) const {
    if (!on.calls || on.sends) return {};
    std::string made;
    (void)neighbour(link, [&](const graph::component& each) {
      const auto found = std::ranges::find(each.handlers, command.name, &graph::handler::operation);
      if (found == each.handlers.end()) return false;
      made = found->operation + '(' + found->arguments + ") -> " + found->result;
      return true;
    });
    return made;
  }

  [[nodiscard]] std::string json_of(const message& each) const;
  [[nodiscard]] std::string json_of(const channel& each) const;
  [[nodiscard]] std::string json_of(const operation& each) const;
  static std::string json_of(const server& each);

  const graph& of_;
  std::vector<server> servers_;
  std::vector<channel> channels_;
  std::vector<operation> operations_;
};

// --- As JSON. ------------------------------------------------------------------------------------

std::string document::json_of(const server& each) {
  const std::size_t scheme = each.url.find("://");
  json_writer made('{');
  if (scheme == std::string::npos) {
    made.text("host", each.url.empty() ? "localhost" : each.url).text("protocol", "msgbus");
  } else {
    const std::string protocol = each.url.substr(0, scheme);
    made.text("host", each.url.substr(scheme + 3));
    made.text("protocol", protocol == "tls" ? "nats" : protocol);  // tls is how it connects
    if (protocol == "tls") made.text("description", "Over TLS.");
  }
  made.text("title", each.of->label());
  return made.close('}');
}

std::string document::json_of(const message& each) const {
  json_writer made('{');
  made.text("name", each.is.name);
  if (!each.is.content_type.empty()) made.text("contentType", each.is.content_type);
  if (!each.summary.empty()) made.text("summary", each.summary);
  return made.close('}');
}

std::string document::json_of(const channel& each) const {
  json_writer made('{');
  if (!each.topic) {
    made.member("address", "null");
    made.text("description", "Each command names the address of its reply.");
  } else {
    const address at = address_of(*each.topic);
    made.text("address", at.text).text("x-msgbus-topic", *each.topic);
    json_writer parameters('{');
    for (const parameter& one : at.parameters) {
      json_writer described('{');
      described.text("description", one.description);
      parameters.member(one.name, described.close('}'));
    }
    if (!at.parameters.empty()) made.member("parameters", parameters.close('}'));
  }
  json_writer servers('[');
  for (const server& one : servers_) {
    if (one.of == each.over) servers.element(reference("#/servers/" + one.key));
  }
  if (each.over) made.member("servers", servers.close(']'));
  json_writer messages('{');
  for (const message& one : each.messages) messages.member(one.key, json_of(one));
  made.member("messages", messages.close('}'));
  return made.close('}');
}

std::string document::json_of(const operation& each) const {
  const std::string on = "#/channels/" + channels_[each.on].key;
  json_writer made('{');
  made.text("action", each.sends ? "send" : "receive").member("channel", reference(on));
  const auto message_of = [](const std::string& in, const std::string& key) {
    return reference(in + "/messages/" + key);
  };
  if (!each.messages.empty()) {
    made.member("messages", list_of(each.messages,
                                    [&](const std::string& key) { return message_of(on, key); }));
  }
  if (each.reply) {
    const channel& back = channels_[*each.reply];
    const std::string in = "#/channels/" + back.key;
    json_writer reply('{');
    reply.member("channel", reference(in));
    if (!back.messages.empty()) {
      reply.member("messages", list_of(back.messages, [&](const message& one) {
                     return message_of(in, one.key);
                   }));
    }
    made.member("reply", reply.close('}'));
  }
  return made.close('}');
}

std::string document::text() const {
  json_writer info('{');
  info.text("title", of_.title.empty() ? "msgbus" : of_.title)
      .text("version", of_.version.empty() ? "0.0.0" : of_.version);
  const auto object_of = [&](const auto& all) {
    json_writer made('{');
    for (const auto& each : all) made.member(each.key, json_of(each));
    return made.close('}');
  };
  json_writer made('{');
  made.text("asyncapi", "3.0.0").member("info", info.close('}'));
  if (!servers_.empty()) made.member("servers", object_of(servers_));
  made.member("channels", object_of(channels_)).member("operations", object_of(operations_));
  return made.close('}');
}

}  // namespace

}  // namespace asyncapi

std::string graph_asyncapi(const graph& all) { return asyncapi::document(all).text(); }

}  // namespace msgbus::detail
