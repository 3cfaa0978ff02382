#include "durable/session.hpp"

#include <msgbus/detail/core/durations.hpp>

namespace msgbus::durable::detail {

namespace {

std::exception_ptr rolled_back(errc code, const char* why) {
  return std::make_exception_ptr(
      error(code, std::string("the transaction was rolled back: ") + why));
}

}  // namespace

void session::ask(std::shared_ptr<query_request> one) {
  std::exception_ptr refused;
  {
    const std::lock_guard lock(mutex_);
    refused = over_;
    if (!refused) asked_.query = one;
  }
  if (refused) {
    one->ended.end(refused);
  } else {
    changed_.notify_one();
  }
}

void session::commit(std::shared_ptr<unit> rest) {
  std::exception_ptr refused;
  {
    const std::lock_guard lock(mutex_);
    refused = over_;
    if (!refused) asked_.last = rest;
  }
  if (refused) {
    rest->failed(refused);
  } else {
    changed_.notify_one();
  }
}

void session::abort() noexcept {
  {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
  }
  changed_.notify_one();
}

bool session::is_given_up() {
  const std::lock_guard lock(mutex_);
  return given_up_;
}

session::work session::take(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto has_work = [&] { return given_up_ || asked_.query || asked_.last; };
  while (!has_work() && std::chrono::steady_clock::now() < until) {
    changed_.wait_until(lock, within_an_hour(until), has_work);
  }
  if (given_up_ && !asked_.last) return {};
  return std::exchange(asked_, work());
}

void session::end(const std::exception_ptr& why) noexcept {
  work left;
  {
    const std::lock_guard lock(mutex_);
    if (!over_) over_ = why;
    left = std::exchange(asked_, work());
  }
  if (left.query) left.query->ended.end(why);
  if (left.last) left.last->failed(why);
}

void session::run(outbox& in) {
  try {
    step("begin: before");
    in.begin();
    step("begin: after");
    serve(in);
  } catch (...) {
    in.roll_back();
    end(std::current_exception());
  }
}

void session::serve(outbox& in) {
  const auto until = saturating_add(std::chrono::steady_clock::now(), longest_);
  for (;;) {
    const work now = take(until);
    if (!now.query && !now.last) {
      in.roll_back();
      end(is_given_up() ? rolled_back(errc::closed, "its coroutine, or the database, has ended")
                        : rolled_back(errc::timed_out,
                                      "it has delayed all other transactions for longer than "
                                      "open_options::transaction_timeout"));
      return;
    }
    try {
      if (now.query) {
        for (const statement& each : now.query->before) (void)in.file().run_of_user(each);
        now.query->rows = in.file().run_of_user(now.query->query);
      } else {
        now.last->run(in);
        step("commit: before");
        in.commit();
        step("commit: after");
      }
    } catch (...) {
      const std::exception_ptr why = std::current_exception();
      in.roll_back();
      end(why);
      if (now.query) now.query->ended.end(why);
      if (now.last) now.last->failed(why);
      return;
    }
    if (now.last) {
      end(rolled_back(errc::closed, "it has been committed before"));
      exec::event_batch waiting;
      now.last->committed(waiting);
      return;
    }
    now.query->ended.end(nullptr);
  }
}

}  // namespace msgbus::durable::detail
