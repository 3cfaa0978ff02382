#include "std_headers.hpp"
