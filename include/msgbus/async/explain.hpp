#pragma once

/// Why a message reaches a handler of async components, and why it does not reach the others.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/detail/component/base.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/explanation.hpp>

#include <string>
#include <string_view>

namespace msgbus {

namespace async::detail {

using msgbus::detail::type_key;

[[nodiscard]] explanation explain_event(const consumer_core& core, type_key type);
[[nodiscard]] explanation explain_event(const fan_out_core& core, type_key type);
// A null type: any type.
[[nodiscard]] explanation explain_message(const subscriber_core& core, std::string_view topic,
                                          type_key type);
[[nodiscard]] explanation explain_message(const fan_out_core& core, std::string_view topic,
                                          type_key type);
[[nodiscard]] explanation explain_command(const service_core& core, std::string_view name);

}  // namespace async::detail

/// Where an event of this type goes: the handlers that run, in which order, and why the others do
/// not. Sends nothing.
template <class E>
[[nodiscard]] explanation explanation_of(const async::consumer& component) {
  return async::detail::explain_event(*component::core_access::of(component),
                                      component::type_to_explain<E>());
}
/// As above, of every bound consumer.
template <class E>
[[nodiscard]] explanation explanation_of(const async::producer& component) {
  return async::detail::explain_event(*component::core_access::of(component),
                                      component::type_to_explain<E>());
}
/// Where a message of this type on this topic goes.
template <class M>
[[nodiscard]] explanation explanation_of(const async::subscriber& component,
                                         std::string_view topic) {
  return async::detail::explain_message(*component::core_access::of(component), topic,
                                        component::type_to_explain<M>());
}
/// As above, of every bound subscriber.
template <class M>
[[nodiscard]] explanation explanation_of(const async::publisher& component,
                                         std::string_view topic) {
  return async::detail::explain_message(*component::core_access::of(component), topic,
                                        component::type_to_explain<M>());
}
/// Where messages on this topic go, whatever their type is.
[[nodiscard]] explanation explanation_of(const async::subscriber& component,
                                         std::string_view topic);
/// As above, of every bound subscriber.
[[nodiscard]] explanation explanation_of(const async::publisher& component, std::string_view topic);
/// Which handler executes the operation.
[[nodiscard]] explanation explanation_of(const async::service& component, std::string_view name);

/// The text of `explanation_of`, for people.
template <class E>
[[nodiscard]] std::string explain(const async::consumer& component) {
  return explanation_of<E>(component).text();
}
/// As above.
template <class E>
[[nodiscard]] std::string explain(const async::producer& component) {
  return explanation_of<E>(component).text();
}
/// As above.
template <class M>
[[nodiscard]] std::string explain(const async::subscriber& component, std::string_view topic) {
  return explanation_of<M>(component, topic).text();
}
/// As above.
template <class M>
[[nodiscard]] std::string explain(const async::publisher& component, std::string_view topic) {
  return explanation_of<M>(component, topic).text();
}
/// As above.
[[nodiscard]] std::string explain(const async::subscriber& component, std::string_view topic);
/// As above.
[[nodiscard]] std::string explain(const async::publisher& component, std::string_view topic);
/// As above.
[[nodiscard]] std::string explain(const async::service& component, std::string_view name);

}  // namespace msgbus
