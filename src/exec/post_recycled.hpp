#pragma once

/// Posts without an allocation, if the executor is one of Asio's own.

#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <typeinfo>
#include <utility>

namespace msgbus::exec {

template <class Executor, class F>
bool post_if_it_is(const asio::any_io_executor& on, F& function) {
  // `any_io_executor::target` of Asio 1.22 does not check the type.
  if (on.target_type() != typeid(Executor)) return false;
  asio::post(*on.target<Executor>(), std::move(function));
  return true;
}

/// Posts a function that has an associated allocator, such as a `wake_allocator`. `any_io_executor`
/// itself ignores it.
template <class F>
void post_recycled(const asio::any_io_executor& on, F function) {
  if (post_if_it_is<asio::io_context::executor_type>(on, function) ||
      post_if_it_is<asio::thread_pool::executor_type>(on, function) ||
      post_if_it_is<asio::strand<asio::io_context::executor_type>>(on, function) ||
      post_if_it_is<asio::strand<asio::thread_pool::executor_type>>(on, function)) {
    return;
  }
  asio::post(on, std::move(function));
}

template <class Executor, class F>
bool post_in_if_it_is(const asio::any_io_executor& on, wake_memory& memory, F& function) {
  if (on.target_type() != typeid(Executor)) return false;
  asio::post(*on.target<Executor>(), in_memory<F>{&memory, std::move(function)});
  return true;
}

/// Posts a function in this memory, which exists until the function has left the executor's queue.
/// Throws nothing if the executor is that of a context of Asio, or a strand of the library over
/// one. For others it is a usual post, which needs more memory.
template <class F>
void post_in(wake_memory& memory, const asio::any_io_executor& on, F function) {
  if (on.target_type() == typeid(mailbox_strand)) {
    on.target<mailbox_strand>()->post_in(memory, std::move(function));
  } else if (!post_in_if_it_is<asio::io_context::executor_type>(on, memory, function) &&
             !post_in_if_it_is<asio::thread_pool::executor_type>(on, memory, function)) {
    asio::post(on, std::move(function));
  }
}

}  // namespace msgbus::exec
