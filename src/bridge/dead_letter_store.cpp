#include "bridge/dead_letter_store.hpp"

#include <msgbus/error.hpp>

#include <utility>

namespace msgbus::bridging {

namespace {

/// Whether a transport has refused the message itself: then it may accept a shorter one. All other
/// failures may be temporary: a dead letter must not lose its payload because of them.
bool is_refusal(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const transport::message_refused&) {
    return true;
  } catch (const error& e) {
    return e.code() == errc::bad_arguments;
  } catch (...) {
    return false;
  }
}

}  // namespace

asio::awaitable<dead_letter_result> store_dead_letter(std::shared_ptr<transport::transport> over,
                                                      std::string topic, const envelope& message,
                                                      given_up details,
                                                      std::chrono::steady_clock::duration timeout,
                                                      extent shortest) {
  dead_letter_result result;
  headers tried;
  for (const extent kept : all_extents) {
    if (kept > shortest) break;
    envelope dead = dead_letter(message, details, kept);
    if (dead.headers == tried) continue;
    tried = dead.headers;
    dead.topic = topic;
    result.failure = nullptr;
    try {
      auto storing = over->store(std::move(dead), timeout);
      transport::stored where = co_await std::move(storing);
      result.where = std::move(where);
    } catch (...) {
      result.failure = std::current_exception();
    }
    if (!result.failure) break;
    result.never = is_refusal(result.failure);
    if (!result.never) break;
    if (!result.refusal) result.refusal = result.failure;
  }
  result.never = result.never && result.failure;
  co_return result;
}

}  // namespace msgbus::bridging
