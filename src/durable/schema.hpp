#pragma once

// The library's tables: their versions, and their rows for readers, the owner or other programs.

#include <msgbus/durable/inspect.hpp>

#include "durable/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::durable::detail {

/// The version of the tables that this library writes.
[[nodiscard]] std::int64_t schema_version() noexcept;

/// The statements that make version `from + 1` of version `from`; `%` stands for the prefix.
[[nodiscard]] std::span<const char* const> migration(std::int64_t from);

/// The statement with the prefix in place of each `%`.
[[nodiscard]] std::string with_prefix(std::string_view sql, std::string_view prefix);

/// Throws `bad_arguments`.
void check_prefix(std::string_view prefix);

/// The version of the tables in this file; 0: there are none.
[[nodiscard]] std::int64_t version_of(connection& in, const std::string& prefix);

/// Throws `unsupported` for tables of a newer version, and `bad_arguments` if there are none.
void check_readable(connection& in, const std::string& prefix);

/// Brings the tables to this version, in one transaction, and begins an epoch. Returns the epoch.
/// Throws `unsupported` for a file of a newer version, which stays as it is.
[[nodiscard]] std::int64_t migrate(connection& in, const std::string& prefix);

[[nodiscard]] file_status read_status(connection& in, const std::string& prefix);

/// In the order of their positions.
[[nodiscard]] std::vector<waiting_message> read_waiting(connection& in, const std::string& prefix,
                                                        std::size_t most);

}  // namespace msgbus::durable::detail
