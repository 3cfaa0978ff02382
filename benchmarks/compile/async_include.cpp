#include <msgbus/async.hpp>
