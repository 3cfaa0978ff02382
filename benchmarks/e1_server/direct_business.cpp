#include "direct_business.hpp"

#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <utility>
#include <variant>

#include "json_text.hpp"
#include "notice.hpp"
#include "process.hpp"
#include "risk_check.hpp"

namespace direct {

using exchange::account;
using exchange::money;
using exchange::number;
using exchange::order;
using exchange::transaction;

namespace {

/// Runs the check on the pool; the caller goes on where it was.
asio::awaitable<void> assess_on(asio::thread_pool& pool, money value) {
  auto initiate = [&pool, value](auto&& handler) {
    auto back = asio::prefer(handler.get_executor(), asio::execution::outstanding_work.tracked);
    asio::post(pool, [handler = std::move(handler), back = std::move(back), value]() mutable {
      std::exception_ptr failure;
      try {
        exchange::assess(value);
      } catch (...) {
        failure = std::current_exception();
      }
      asio::post(back, [handler = std::move(handler), failure = std::move(failure)]() mutable {
        handler(std::move(failure));
      });
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      initiate, asio::use_awaitable);
}

void apply(exchange::read_model& to, const exchange::account_opened& event) { to.on_opened(event); }
void apply(exchange::read_model& to, const exchange::money_deposited& event) {
  to.on_deposited(event);
}
void apply(exchange::read_model& to, const exchange::money_withdrawn& event) {
  to.on_withdrawn(event);
}
void apply(exchange::read_model& to, const exchange::order_placed& event) { to.on_placed(event); }
void apply(exchange::read_model& to, const exchange::order_cancelled& event) {
  to.on_cancelled(event);
}

}  // namespace

/// A transaction that is open while something is awaited.
class business::open_transaction {
 public:
  explicit open_transaction(business& in) : in_(in) {
    const std::lock_guard lock(in_.mutex_);
    in_.require_open_locked();
    in_.open_.fetch_add(1);
  }
  open_transaction(const open_transaction&) = delete;
  open_transaction& operator=(const open_transaction&) = delete;
  ~open_transaction() {
    {
      const std::lock_guard lock(in_.mutex_);
      work_.reset();
    }
    in_.open_.fetch_sub(1);
  }
  transaction& begin_locked() { return work_.emplace(in_.books_); }
  transaction& get() { return *work_; }

 private:
  business& in_;
  std::optional<transaction> work_;
};

template <class Event>
void business::notify_locked(const Event& event) {
  apply(read_model_, event);
  audit_.add(event);
  const std::string topic = exchange::topic_of(event);
  notices_.publish(exchange::notice_of(event, topic, ++notices_made_), topic);
}

void business::commit_locked(transaction& work) {
  work.commit();
  for (const exchange::fact& each : work.facts()) {
    std::visit([this](const auto& event) { notify_locked(event); }, each);
  }
}

void business::require_open_locked() const {
  if (closed_) throw exchange::refusal("shutting_down", "the server is stopping");
}

template <class R>
asio::awaitable<R> business::change(std::function<const R&(transaction&)> f) {
  R result;
  {
    const std::lock_guard lock(mutex_);
    require_open_locked();
    transaction work(books_);
    result = f(work);
    commit_locked(work);
  }
  if (audit_.full()) co_await audit_.room();
  co_return result;
}

asio::awaitable<account> business::open_account(std::string owner) {
  return change<account>([owner = std::move(owner)](transaction& work) -> const account& {
    return work.open_account(owner);
  });
}

asio::awaitable<account> business::deposit(number id, money amount) {
  return change<account>(
      [=](transaction& work) -> const account& { return work.deposit(id, amount); });
}

asio::awaitable<account> business::withdraw(number id, money amount) {
  return change<account>(
      [=](transaction& work) -> const account& { return work.withdraw(id, amount); });
}

asio::awaitable<order> business::cancel_order(number id) {
  return change<order>([=](transaction& work) -> const order& { return work.cancel_order(id); });
}

asio::awaitable<order> business::place_order(number account, std::string symbol,
                                             std::int64_t quantity, money price) {
  open_transaction open(*this);
  number id = 0;
  money value = 0;
  {
    const std::lock_guard lock(mutex_);
    const order& begun =
        open.begin_locked().begin_order(account, std::move(symbol), quantity, price);
    id = begun.id;
    value = begun.value();
  }
  co_await assess_on(blocking_, value);
  order placed;
  {
    const std::lock_guard lock(mutex_);
    placed = open.get().open_order(id);
    commit_locked(open.get());
  }
  if (audit_.full()) co_await audit_.room();
  co_return placed;
}

asio::awaitable<exchange::totals> business::books() {
  const std::lock_guard lock(mutex_);
  co_return books_.sums();
}

asio::awaitable<account> business::get_account(number id) {
  const std::lock_guard lock(mutex_);
  co_return read_model_.get_account(id);
}

asio::awaitable<std::vector<order>> business::list_orders(number account) {
  const std::lock_guard lock(mutex_);
  co_return read_model_.list_orders(account);
}

asio::awaitable<std::vector<exchange::symbol_summary>> business::list_symbols() {
  const std::lock_guard lock(mutex_);
  co_return read_model_.list_symbols();
}

asio::awaitable<exchange::totals> business::summary() {
  const std::lock_guard lock(mutex_);
  co_return read_model_.summary();
}

asio::awaitable<std::string> business::stats() {
  std::string text;
  {
    exchange::object_text all(text);
    std::string& components = all.begin("components");
    {
      exchange::object_text each(components);
      exchange::object_text(each.begin("business")).add("open", open_.load());
      exchange::object_text(each.begin("audit")).add("open", audit_.unwritten());
    }
    all.add("memory_kib", exchange::memory_in_use());
  }
  co_return text;
}

asio::awaitable<void> business::finish(std::chrono::steady_clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (open_.load() > 0 && std::chrono::steady_clock::now() < deadline) {
    timer.expires_after(std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_await audit_.written(deadline);
}

}  // namespace direct
