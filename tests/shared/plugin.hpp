#pragma once

#include <msgbus/sync.hpp>

#include <string>

/// Visible, since it travels between the program and the plugin.
struct [[gnu::visibility("default")]] loaded {
  int number;
};

[[gnu::visibility("default")]] void attach_plugin(msgbus::sync::consumer& consumer,
                                                  msgbus::sync::subscriber& subscriber,
                                                  int& handled);
