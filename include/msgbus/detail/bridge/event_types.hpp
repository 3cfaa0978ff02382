#pragma once

/// The event types of a link and their topics. A topic belongs to one type.

#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/core/type_list.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/transport/codec.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace msgbus::bridging {

struct event_type {
  std::string topic;
  std::string_view name;                                         // on the wire
  std::string_view (*content_type)(encoding written) = nullptr;  // null: unknown
};

/// Throws `bad_arguments`, with both names, if two different types in the lists have the same
/// topic. Both arguments may be the same list.
void check_topics_differ(const std::vector<event_type>& types,
                         const std::vector<event_type>& others);

template <class... Es>
std::vector<event_type> event_types_of(std::string_view prefix, type_list<Es...>) {
  std::vector<event_type> types{
      {event_topic(prefix, name_of<Es>), name_of<Es>, &detail::content_type_of_codec<Es>}...};
  check_topics_differ(types, types);
  return types;
}

/// The topics of the types, without duplicates.
[[nodiscard]] std::vector<std::string> topics_of(const std::vector<event_type>& types);

}  // namespace msgbus::bridging
