#include "run_watched.hpp"

namespace msgbus::sync::detail {

bool run_watched(const routing::item& item, delivery& d, observer& watcher) {
  const std::size_t failed_before = d.failed.size();
  const bool took = run_one(item, d);
  for (std::size_t i = failed_before; i < d.failed.size(); ++i) {
    watcher.failed(d.step(), d.failed[i]);
  }
  if (took && d.failed.size() == failed_before) watcher.delivered(d.step());
  return took;
}

void pass_on_caught() {
  if (std::current_exception()) throw;
}

}  // namespace msgbus::sync::detail
