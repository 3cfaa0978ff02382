#pragma once

// Compiled once for the tests of what needs no Asio. Each test includes what it uses all the same.

#include <msgbus/sync.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>
