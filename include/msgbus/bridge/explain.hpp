#pragma once

/// Where a call of a remote service goes, and what may keep it from its handler.

#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/explanation.hpp>

#include <string>
#include <string_view>

namespace msgbus {

/// Where a call of this operation goes: the topic, the transport and the policy; and why it would
/// fail now. Sends nothing, so it does not know whether a process serves the operation.
[[nodiscard]] explanation explanation_of(const remote_service& component, std::string_view name);

/// The text of `explanation_of`, for people.
[[nodiscard]] std::string explain(const remote_service& component, std::string_view name);

}  // namespace msgbus
