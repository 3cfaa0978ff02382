#include "bridge/trace.hpp"

#include <msgbus/trace_context.hpp>

namespace msgbus::bridging {

std::string child_trace(std::string_view parent) { return sent_trace(parent, false); }

std::string sent_trace(std::string_view parent, bool is_span) {
  const auto found = trace_context::parse(parent);
  if (!found) return {};
  return is_span ? found->traceparent() : found->child().traceparent();
}

}  // namespace msgbus::bridging
