#include "async/executor_text.hpp"

#include <asio/io_context.hpp>
#include <asio/query.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>

#include <typeinfo>

namespace msgbus::async::detail {

namespace {

/// As an `Executor`; null if it is none. Old versions of Asio do not check that themselves.
template <class Executor>
const Executor* as(const asio::any_io_executor& executor) noexcept {
  return executor.target_type() == typeid(Executor) ? executor.target<Executor>() : nullptr;
}

const void* context_of(const asio::any_io_executor& executor) noexcept {
  return &asio::query(executor, asio::execution::context);
}

}  // namespace

std::string executor_text(const asio::any_io_executor& executor,
                          msgbus::detail::graph_builder& in) {
  if (!executor) return {};
  using io = asio::io_context::executor_type;
  using pool = asio::thread_pool::executor_type;
  const void* const context = context_of(executor);
  if (as<io>(executor)) return in.numbered("io_context", context);
  if (as<pool>(executor)) return in.numbered("thread_pool", context);
  if (as<asio::system_executor>(executor)) return "system_executor";
  if (as<asio::strand<io>>(executor)) return "strand of " + in.numbered("io_context", context);
  if (as<asio::strand<pool>>(executor)) {
    return "strand of " + in.numbered("thread_pool", context);
  }
  if (const auto* const strand = as<asio::strand<asio::any_io_executor>>(executor)) {
    return "strand of " + executor_text(strand->get_inner_executor(), in);
  }
  return in.numbered("context", context);
}

}  // namespace msgbus::async::detail
