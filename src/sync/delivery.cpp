#include "run_watched.hpp"

#include <msgbus/core/error.hpp>
#include <msgbus/sync/detail/handler.hpp>

#include <msgbus/di/provider.hpp>

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

void throw_empty_handler() {
  throw error(errc::bad_arguments, "a handler that is a null pointer or an empty function");
}

parts::parts(std::shared_ptr<provider> given)
    : overrides(given ? std::move(given) : std::make_shared<provider>()),
      overrides_state(overrides->state()) {}

}  // namespace msgbus::sync::detail
