#include <msgbus/pick.hpp>

#include "core/print.hpp"

namespace msgbus {

std::ostream& operator<<(std::ostream& out, pick value) {
  using enum pick;
  return out << detail::enumerator<pick>(
             value, "pick",
             {{round_robin, "round_robin"}, {least_waiting, "least_waiting"}, {key, "key"}});
}

}  // namespace msgbus
