#pragma once

/// The errors about misused dependencies: the same texts in both families.

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/error.hpp>

#include <string>

namespace msgbus::di {

/// `path`: the names from a dependency back to itself.
[[nodiscard]] error cycle(const std::string& path, const requester& requested_by);

/// For a `required` dependency without an override. `needed_by` is the dependency that needs it;
/// null if the requester itself does.
[[nodiscard]] error not_provided(const dependency_info& wanted, const dependency_info* needed_by,
                                 const requester& requested_by, const provider_state& overrides);

[[nodiscard]] error yielded_twice(const dependency_info& by);
[[nodiscard]] error never_yielded(const dependency_info& by);

}  // namespace msgbus::di
