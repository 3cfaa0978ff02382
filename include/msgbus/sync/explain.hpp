#pragma once

/// Why a message reaches a handler of sync components, and why it does not reach the others.

#include <msgbus/detail/component/base.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/explanation.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>

#include <string>
#include <string_view>

namespace msgbus {

namespace sync::detail {

using msgbus::detail::type_key;

[[nodiscard]] explanation explain_event(const consumer_core& core, type_key type);
[[nodiscard]] explanation explain_event(const producer_core& core, type_key type);
// A null type: any type.
[[nodiscard]] explanation explain_message(const subscriber_core& core, std::string_view topic,
                                          type_key type);
[[nodiscard]] explanation explain_message(const publisher_core& core, std::string_view topic,
                                          type_key type);
[[nodiscard]] explanation explain_command(const service_core& core, std::string_view name);

}  // namespace sync::detail

/// Where an event of this type goes: the handlers that run, in which order, and why the others do
/// not. Sends nothing.
template <class E>
[[nodiscard]] explanation explanation_of(const sync::consumer& component) {
  return sync::detail::explain_event(*component::core_access::of(component),
                                     component::type_to_explain<E>());
}
/// As above, of every bound consumer.
template <class E>
[[nodiscard]] explanation explanation_of(const sync::producer& component) {
  return sync::detail::explain_event(*component::core_access::of(component),
                                     component::type_to_explain<E>());
}
/// Where a message of this type on this topic goes.
template <class M>
[[nodiscard]] explanation explanation_of(const sync::subscriber& component,
                                         std::string_view topic) {
  return sync::detail::explain_message(*component::core_access::of(component), topic,
                                       component::type_to_explain<M>());
}
/// As above, of every bound subscriber.
template <class M>
[[nodiscard]] explanation explanation_of(const sync::publisher& component, std::string_view topic) {
  return sync::detail::explain_message(*component::core_access::of(component), topic,
                                       component::type_to_explain<M>());
}
/// Where messages on this topic go, whatever their type is.
[[nodiscard]] explanation explanation_of(const sync::subscriber& component, std::string_view topic);
/// As above, of every bound subscriber.
[[nodiscard]] explanation explanation_of(const sync::publisher& component, std::string_view topic);
/// Which handler executes the operation.
[[nodiscard]] explanation explanation_of(const sync::service& component, std::string_view name);

/// The text of `explanation_of`, for people.
template <class E>
[[nodiscard]] std::string explain(const sync::consumer& component) {
  return explanation_of<E>(component).text();
}
/// As above.
template <class E>
[[nodiscard]] std::string explain(const sync::producer& component) {
  return explanation_of<E>(component).text();
}
/// As above.
template <class M>
[[nodiscard]] std::string explain(const sync::subscriber& component, std::string_view topic) {
  return explanation_of<M>(component, topic).text();
}
/// As above.
template <class M>
[[nodiscard]] std::string explain(const sync::publisher& component, std::string_view topic) {
  return explanation_of<M>(component, topic).text();
}
/// As above.
[[nodiscard]] std::string explain(const sync::subscriber& component, std::string_view topic);
/// As above.
[[nodiscard]] std::string explain(const sync::publisher& component, std::string_view topic);
/// As above.
[[nodiscard]] std::string explain(const sync::service& component, std::string_view name);

}  // namespace msgbus
