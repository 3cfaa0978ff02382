#include <msgbus/sync.hpp>
