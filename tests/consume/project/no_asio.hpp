#pragma once

// Included before all else in programs that use msgbus::sync alone: naming Asio is an error.
#pragma GCC poison asio
