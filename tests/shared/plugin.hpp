#pragma once

#include <msgbus/async.hpp>
#include <msgbus/sync.hpp>

#include <string>
#include <variant>
#include <vector>

/// Visible, as those are that travel between the program and the plugin in other projects.
struct [[gnu::visibility("default")]] loaded {
  int number;
};

/// Not visible: each library has a `typeid` of its own.
struct hidden {
  int number;
};

[[gnu::visibility("default")]] void attach_plugin(msgbus::sync::consumer& consumer,
                                                  msgbus::sync::subscriber& subscriber,
                                                  int& handled);

/// Not visible either.
inline constexpr msgbus::required<int> get_limit{"limit"};

/// What a library that is opened at run time does, in terms of types that it hides.
struct plugin_parts {
  msgbus::sync::consumer& consumer;
  msgbus::sync::subscriber& subscriber;
  msgbus::sync::service& service;
  msgbus::async::consumer& events;
  std::string& log;
};
using attached = std::vector<msgbus::subscription>;
using attach_parts = void (*)(plugin_parts, attached&);
using consume_hidden = std::size_t (*)(msgbus::sync::consumer&, int);
