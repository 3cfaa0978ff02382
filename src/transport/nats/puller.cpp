#include "puller.hpp"

#include "consumer_config.hpp"
#include "delivery.hpp"
#include "jetstream.hpp"
#include "transport/names.hpp"

#include <msgbus/core/topic.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view info_suffix = "info";

pull_credit::time_point now() noexcept { return std::chrono::steady_clock::now(); }

}  // namespace

puller::puller(const session& of, const transport::pull_options& which,
               std::shared_ptr<transport::delivery_sink> to)
    : requests_(of.over(role::prompt)),
      in_progress_(std::make_shared<progress>(of.over(role::bulk), which.ack_wait)),
      name_("stream '" + which.stream + "', durable '" + which.durable + "'"),
      next_topic_("$JS.API.CONSUMER.MSG.NEXT." + which.stream + '.' + which.durable),
      info_topic_("$JS.API.CONSUMER.INFO." + which.stream + '.' + which.durable),
      inbox_(make_inbox() + '.'),
      to_(std::move(to)),
      credit_(now()),
      watch_(of.executor()),
      next_(of.executor()) {}

void puller::start() {
  subscription_ = subscription::open(requests_, inbox_ + '*', {}, 0, shared_from_this());
  const std::lock_guard lock(mutex_);
  start(watch_, pull_credit::silence / 4, &puller::watch);
}

void puller::ask(std::size_t more) noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.add(more, now(), requests_->is_away()));
}

void puller::do_next(pull_credit::action what) noexcept {
  using enum pull_credit::action;
  switch (what) {
    case nothing:
    case end: break;
    case request: send_request(); break;
    case look:
      if (!requests_->is_away())
        requests_->send(info_topic_, inbox_ + std::string(info_suffix), {});
      break;
    case try_later: start(next_, pull_credit::before_next_try, &puller::try_again); break;
    case look_later: start(next_, pull_credit::before_next_look, &puller::look_again); break;
  }
}

void puller::send_request() noexcept {
  const auto expires = std::chrono::nanoseconds(pull_credit::request_expires).count();
  const std::string text = "{\"batch\":" + std::to_string(credit_.requested()) +
                           ",\"expires\":" + std::to_string(expires) + '}';
  requests_->send(next_topic_, inbox_ + std::to_string(credit_.number()), text);
}

void puller::take(message_ptr message) noexcept {
  if (is_delivery(natsMsg_GetReply(message.get()))) {
    take_delivery(std::move(message));
  } else if (std::string_view(natsMsg_GetSubject(message.get())).substr(inbox_.size()) ==
             info_suffix) {
    take_info(message.get());
  } else {
    take_status(message.get());
  }
}

void puller::take_delivery(message_ptr message) noexcept {
  {
    const std::lock_guard lock(mutex_);
    pull_credit::action next{};
    if (!credit_.take(now(), requests_->is_away(), next)) {
      give_back(*requests_, natsMsg_GetReply(message.get()));
      return;
    }
    do_next(next);  // before this one is handled: so the next is on its way
  }
  std::unique_ptr<transport::delivery> received;
  try {
    received = make_delivery(message.get(), in_progress_);
  } catch (const std::bad_alloc&) {
    give_back(*requests_, natsMsg_GetReply(message.get()));
    ask(1);
    return;
  }
  message.reset();
  to_->take(std::move(received));
}

void puller::take_status(natsMsg* message) noexcept {
  const std::string_view number =
      std::string_view(natsMsg_GetSubject(message)).substr(inbox_.size());
  const char* text = nullptr;
  natsMsgHeader_Get(message, "Description", &text);
  const std::lock_guard lock(mutex_);
  do_next(
      credit_.answered(number, status_of(message), text ? text : "", now(), requests_->is_away()));
}

void puller::take_info(natsMsg* message) noexcept {
  const json said = json::parse(payload_of(message), nullptr, false);
  const refusal refused = said.is_object() ? refusal_of(said) : refusal{503, 0, "no answer"};
  const bool is_gone =
      refused.err_code == stream_not_found || refused.err_code == consumer_not_found;
  const auto what = is_gone                ? pull_credit::found::gone
                    : refused.text.empty() ? pull_credit::found::there
                                           : pull_credit::found::unknown;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    const auto next = credit_.looked(what, refused.text, now(), requests_->is_away());
    do_next(next);
    if (next != pull_credit::action::end) return;
    why = credit_.why();
  }
  subscription_->stop();
  end(std::make_exception_ptr(error(errc::transport_failed, name_ + ": " + why)));
}

void puller::end(const std::exception_ptr& why) noexcept {
  ended_ = true;
  {
    const std::lock_guard lock(mutex_);
    stop_asking();
    if (owner_left_) return;
  }
  to_->ended(why);
}

void puller::completed(const std::exception_ptr& why) noexcept {
  if (!ended_ && why) end(why);
  if (!ended_) end(std::make_exception_ptr(requests_->failed(NATS_CONNECTION_CLOSED, name_)));
  to_.reset();  // it may own the source
}

void puller::start(exec::timer& timer, std::chrono::nanoseconds pause,
                   void (puller::*what)() noexcept) {
  timer.start(pause, [weak = weak_from_this(), what] {
    if (const auto self = weak.lock()) (self.get()->*what)();
  });
}

// With the lock: then neither is started again, and no context waits for them.
bool puller::stop_asking() noexcept {
  watch_.cancel();
  next_.cancel();
  return credit_.stop();
}

void puller::try_again() noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.try_again(now(), requests_->is_away()));
}

void puller::look_again() noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.look_again(now()));
}

void puller::watch() noexcept {
  const std::lock_guard lock(mutex_);
  if (credit_.is_stopped()) return;
  do_next(credit_.watch(now()));
  start(watch_, pull_credit::silence / 4, &puller::watch);
}

void puller::connection_is_back() noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.connection_is_back(now()));
}

void puller::stop() noexcept {
  const std::lock_guard lock(mutex_);
  owner_left_ = true;
  stop_giving();
}

void puller::transport_closes() noexcept {
  const std::lock_guard lock(mutex_);
  stop_giving();
}

// With the lock, so that nothing is given back before the server knows that this one has left: it
// would get it again.
void puller::stop_giving() noexcept {
  if (stop_asking()) subscription_->drain();
}

void puller::wait_until_given_back(pull_credit::time_point until) noexcept {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  if (left > 0ms && !requests_->is_away()) subscription_->wait_until_drained(left.count());
}

// --- Finding or making the consumer. -------------------------------------------------------------

namespace {

constexpr auto patience = std::chrono::seconds(5);

asio::awaitable<json> make_consumer(std::shared_ptr<session> through, std::string name,
                                    std::string stream, json config, const char* action,
                                    deadline until) {
  json request;
  request["stream_name"] = std::move(stream);
  request["config"] = std::move(config);
  // Servers from 2.10 on know it: then what was made meanwhile is not changed, and what has gone
  // meanwhile is not made.
  request["action"] = action;
  json answer = co_await ask_jetstream(through, "CONSUMER.DURABLE.CREATE." + name, request, until);
  co_return answer;
}

// One that its operator made stays as it is, unless another patience is asked for.
asio::awaitable<void> attach(std::shared_ptr<session> through, transport::pull_options which,
                             std::string what, json there, deadline until) {
  const std::string wrong = misfits(there, which);
  if (!wrong.empty()) throw error(errc::transport_failed, what + ": " + wrong);
  if (has_backoff(there)) {
    if (is_less_patient(there, which)) {
      throw error(errc::transport_failed, what + ": " + impatience(there, which));
    }
    co_return;
  }
  if (has_ack_wait(there, which)) co_return;
  json changed = with_ack_wait(there, which);
  const std::string name = which.stream + '.' + which.durable;
  const json made = co_await make_consumer(through, name, which.stream, changed, "update", until);
  if (refusal_of(made).err_code == consumer_not_found) check_answer(made, what);
  // Where it may not be changed, one that is more patient does as well: nothing comes too soon.
  const json& now = made.contains("config") ? made["config"] : there;
  if (!is_less_patient(now, which)) co_return;
  const std::string why = refusal_of(made).text;
  throw error(errc::transport_failed,
              what + ": " + impatience(now, which) + (why.empty() ? std::string() : ": " + why));
}

asio::awaitable<void> ensure_consumer(std::shared_ptr<session> through,
                                      transport::pull_options which) {
  const std::string name = which.stream + '.' + which.durable;
  const std::string what = "stream '" + which.stream + "', durable '" + which.durable + "'";
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, patience);
  for (bool again = false;; again = true) {
    json known = co_await ask_jetstream(through, "CONSUMER.INFO." + name, nullptr, until);
    if (refusal_of(known).err_code != consumer_not_found) {
      check_answer(known, what);
      co_await attach(through, which, what, known["config"], until);
      co_return;
    }
    json config = consumer_config(which);
    json made = co_await make_consumer(through, name, which.stream, config, "create", until);
    // Made by another process in the meantime: then that one counts.
    const int code = refusal_of(made).err_code;
    if ((code == consumer_exists || code == consumer_name_taken) && !again) continue;
    check_answer(made, what);
    co_return;
  }
}

class nats_source final : public transport::source {
 public:
  explicit nats_source(std::shared_ptr<puller> of) : of_(std::move(of)) {}
  ~nats_source() override { of_->stop(); }
  void ask(std::size_t more) noexcept override { of_->ask(more); }
  void stop() noexcept override { of_->stop(); }

 private:
  const std::shared_ptr<puller> of_;
};

}  // namespace

asio::awaitable<std::unique_ptr<transport::source>> pull(
    std::shared_ptr<session> through, transport::pull_options which,
    std::shared_ptr<transport::delivery_sink> to) {
  transport::check_name(which.stream, "stream");
  transport::check_name(which.durable, "durable consumer");
  if (!which.filter.empty()) detail::check_pattern(which.filter);
  co_await ensure_consumer(through, which);
  auto made = std::make_shared<puller>(*through, which, std::move(to));
  made->start();
  through->add(made);
  std::unique_ptr<transport::source> result = std::make_unique<nats_source>(std::move(made));
  co_return result;
}

}  // namespace msgbus::nats
