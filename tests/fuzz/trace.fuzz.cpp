// Any bytes as `traceparent` and `tracestate`: what is read can be written, and is read again as
// the same.

#include <msgbus/trace_context.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s\n", sentence);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using msgbus::trace_context;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t line = all.find('\n');
  const std::string_view parent = all.substr(0, line);
  const std::string_view state =
      line == std::string_view::npos ? std::string_view() : all.substr(line + 1);
  const auto found = trace_context::parse(parent, state);
  if (!found) return 0;
  const std::string text = found->traceparent();
  require(text.size() == 55, "a traceparent has its size");
  require(found->state.empty() || found->state == state, "the state is unchanged, or left out");
  require(trace_context::parse(text, found->state) == found, "it is read again as the same");
  const trace_context child = found->child();
  require(child.trace_id == found->trace_id, "a child is of the same trace");
  require(trace_context::parse(child.traceparent(), child.state) == child, "a child is valid");
  return 0;
}
