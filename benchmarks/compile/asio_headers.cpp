#include "asio_headers.hpp"
