#include "run.hpp"

#include <msgbus/di/provider.hpp>

namespace msgbus::sync::detail {

bool call_watched(const routing::item& item, const delivery& d) {
  const std::size_t failed_before = d.failed.size();
  bool took = true;
  try {
    took = reinterpret_cast<call_handler>(item.call)(*item.entry, d);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  for (std::size_t i = failed_before; i < d.failed.size(); ++i) {
    d.watcher->failed(d.step(), d.failed[i]);
  }
  if (took && d.failed.size() == failed_before) d.watcher->delivered(d.step());
  return took;
}

parts::parts(std::shared_ptr<provider> given)
    : overrides(given ? std::move(given) : std::make_shared<provider>()),
      overrides_state(overrides->state()) {}

}  // namespace msgbus::sync::detail
