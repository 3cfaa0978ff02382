#include <msgbus/detail/sync/component_run.hpp>

namespace msgbus::sync::detail {

bool run_watched(const routing::route_entry& route, component_run& d, observer& observer) {
  const std::size_t failed_before = d.failed.size();
  const bool took = run_one(route, d);
  for (std::size_t i = failed_before; i < d.failed.size(); ++i) {
    observer.failed(d.step(), d.failed[i]);
  }
  if (took && d.failed.size() == failed_before) observer.delivered(d.step());
  return took;
}

void pass_on_caught() {
  if (std::current_exception()) throw;
}

}  // namespace msgbus::sync::detail
