#include <msgbus/detail/component/scope.hpp>

#include <msgbus/detail/component/overlay.hpp>
#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/error.hpp>
#include <msgbus/yield.hpp>

namespace msgbus::component {

void scope::provide(const void* identity, const dependency_info& info, continuation rest) {
  for (const resolution* each = innermost_; each; each = each->outer) {
    if (each->identity != identity) continue;
    if (!each->value) throw_cycle(*each);
    return rest(each->value);
  }
  resolution mine{identity, info, nullptr, innermost_};
  innermost_ = &mine;
  struct restore {
    scope& in;
    const resolution* outer;
    ~restore() { in.innermost_ = outer; }
  } const at_end{*this, mine.outer};
  auto resolved = [&](void* value) {
    mine.value = value;
    rest(value);
  };
  if (implementation* const override = overrides_.find(identity)) {
    override->provide(*this, info, resolved);
  } else if (info.provide) {
    info.provide(*this, info, resolved);
  } else if (is_async(info.factory.kind)) {
    throw_async(info);
  } else {
    throw_not_provided(info);
  }
}

void throw_async(const dependency_info& info) {
  throw error(errc::misused_dependency,
              "dependency '" + info.name() +
                  "' is async, and a sync handler cannot await it; override it with "
                  "async::blocking(...)");
}

void scope::throw_cycle(const resolution& start) const {
  std::string path = start.info.name();
  for (const resolution* each = innermost_; each; each = each->outer) {
    if (each->value) continue;  // resolved, so not in the cycle
    path.insert(0, each->info.name() + " -> ");
    if (each == &start) break;
  }
  throw cycle(path, requester_);
}

void scope::throw_not_provided(const dependency_info& info) const {
  const resolution* by = innermost_->outer;
  while (by && by->value) by = by->outer;
  throw not_provided(info, by ? &by->info : nullptr, requester_, overrides_);
}

void yielding::operator()(void* value) {
  if (yielded_) {
    const auto twice = std::make_exception_ptr(yielded_twice(dependency_));
    scope_.failed(twice);  // recorded, in case the dependency catches it
    std::rethrow_exception(twice);
  }
  yielded_ = true;
  try {
    rest_(value);
  } catch (...) {
    scope_.failed(std::current_exception());
    throw;
  }
  // An inner dependency may have swallowed the failure. This one gets it nevertheless.
  if (!scope_.failed().empty()) std::rethrow_exception(scope_.failed()[0]);
}

void yielding::ended() const {
  if (!yielded_) throw never_yielded(dependency_);
}

error cycle(const std::string& path, const requester& requested_by) {
  return {errc::misused_dependency, "dependency cycle: " + path + ", required by " +
                                        requested_by.describe(requested_by.object)};
}

error not_provided(const dependency_info& wanted, const dependency_info* needed_by,
                   const requester& requested_by, const provider_state& overrides) {
  std::string by = requested_by.describe(requested_by.object);
  if (needed_by) by = "dependency '" + needed_by->name() + "' of " + by;
  return {errc::not_provided,
          "dependency '" + wanted.name() + "' (" + std::string(wanted.type) + ") is required by " +
              by + ", and no override provides it: " + overrides.namesake_of(wanted)};
}

error yielded_twice(const dependency_info& by) {
  return {errc::misused_dependency,
          "dependency '" + by.name() + "' called its yield twice; call it exactly once"};
}

error never_yielded(const dependency_info& by) {
  return {
      errc::misused_dependency,
      "dependency '" + by.name() + "' returned without calling its yield; call it exactly once"};
}

error once_without_keeper(std::string_view once, const requester& requested_by) {
  return {errc::misused_dependency,
          requested_by.describe(requested_by.object) + " has once = '" + std::string(once) +
              "', and none of its dependencies keeps the ids of its messages: let it take "
              "depends<msgbus::durable::unit_of_work>"};
}

std::uint64_t mask_of_needs(std::span<const dependency_info* const> needs,
                            std::span<const dependency_info* const> before) noexcept {
  std::uint64_t mask = 0;
  for (const dependency_info* const each : needs) {
    std::size_t i = 0;
    while (i < before.size() && before[i] != each) ++i;
    if (i == before.size()) return 0;
    mask |= std::uint64_t{1} << i;
  }
  return mask;
}

}  // namespace msgbus::component
