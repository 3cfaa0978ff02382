#pragma once

/// Executors in words.

#include <msgbus/detail/observe/graph_builder.hpp>

#include <asio/any_io_executor.hpp>

#include <string>

namespace msgbus::async::detail {

/// `io_context 1`, `strand of thread_pool 2`: the same number is the same context. Empty for an
/// empty executor.
[[nodiscard]] std::string executor_text(const asio::any_io_executor& executor,
                                        msgbus::detail::graph_builder& in);

}  // namespace msgbus::async::detail
