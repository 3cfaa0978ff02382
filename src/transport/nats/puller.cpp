#include "puller.hpp"

#include "consumer_config.hpp"
#include "delivery.hpp"
#include "jetstream.hpp"
#include "transport/names.hpp"

#include <msgbus/core/topic.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_request = 1024;
constexpr auto request_expires = 5s;  // then the server says so
constexpr auto silence = 8s;          // if it does not, something was lost
constexpr auto before_next_try = 100ms;
constexpr auto before_next_look = 250ms;
constexpr int most_refusals = 50;

constexpr std::string_view info_suffix = "info";

}  // namespace

puller::puller(const session& of, const transport::pull_options& which,
               std::shared_ptr<transport::delivery_sink> to)
    : requests_(of.over(role::prompt)),
      in_progress_(std::make_shared<progress>(of.over(role::bulk), of.heart(), which.ack_wait)),
      clock_(of.clock()),
      name_("stream '" + which.stream + "', durable '" + which.durable + "'"),
      next_topic_("$JS.API.CONSUMER.MSG.NEXT." + which.stream + '.' + which.durable),
      info_topic_("$JS.API.CONSUMER.INFO." + which.stream + '.' + which.durable),
      inbox_(make_inbox() + '.'),
      to_(std::move(to)) {}

void puller::start() {
  subscription_ = subscription::open(requests_, inbox_ + '*', {}, 0, shared_from_this());
  const std::lock_guard lock(mutex_);
  heard_ = std::chrono::steady_clock::now();
  later(heard_ + silence, &puller::watch);
}

void puller::ask(std::size_t more) noexcept {
  const std::lock_guard lock(mutex_);
  credit_ += more;
  request();
}

void puller::request() noexcept {
  if (stopped_ || unsure_ || requested_ > 0 || credit_ == 0 || requests_->is_away()) return;
  requested_ = std::min(credit_, largest_request);
  ++request_number_;
  heard_ = std::chrono::steady_clock::now();
  const auto expires = std::chrono::nanoseconds(request_expires).count();
  const std::string text =
      "{\"batch\":" + std::to_string(requested_) + ",\"expires\":" + std::to_string(expires) + '}';
  requests_->send(next_topic_, inbox_ + std::to_string(request_number_), text);
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
    heard_ = std::chrono::steady_clock::now();
    refusals_ = 0;
    if (stopped_ || credit_ == 0) {
      give_back(*requests_, natsMsg_GetReply(message.get()));
      return;
    }
    --credit_;
    if (requested_ > 0) --requested_;
    request();  // before this one is handled: so the next is on its way
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
  const std::string_view status = status_of(message);
  const std::lock_guard lock(mutex_);
  heard_ = std::chrono::steady_clock::now();
  if (status == "100" || number != std::to_string(request_number_)) return;
  requested_ = 0;
  if (status == "408" || status == "404") {
    refusals_ = 0;
    request();
    return;
  }
  const char* text = nullptr;
  natsMsgHeader_Get(message, "Description", &text);
  refused_with_ = std::string(status) + (text ? std::string(" ") + text : std::string());
  ++refusals_;
  if (!unsure_) ask_whether_there();
}

void puller::ask_whether_there() noexcept {
  unsure_ = true;
  heard_ = std::chrono::steady_clock::now();
  if (!stopped_ && !requests_->is_away()) {
    requests_->send(info_topic_, inbox_ + std::string(info_suffix), {});
  }
}

void puller::take_info(natsMsg* message) noexcept {
  const json said = json::parse(payload_of(message), nullptr, false);
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    if (!unsure_ || stopped_) return;
    heard_ = std::chrono::steady_clock::now();
    const refusal refused = said.is_object() ? refusal_of(said) : refusal{503, 0, "no answer"};
    const bool is_gone =
        refused.err_code == stream_not_found || refused.err_code == consumer_not_found;
    if (is_gone) {
      why = refused.text;
    } else if (refused.text.empty() && refusals_ >= most_refusals) {
      why = refused_with_;
    }
    if (why.empty()) {
      if (!refused.text.empty()) {
        later(heard_ + before_next_look, &puller::look_again);
      } else if (refusals_ > 0) {
        // It may be refused again at once, so not at once.
        later(heard_ + before_next_try, &puller::try_again);
      } else {
        unsure_ = false;
        request();
      }
    }
  }
  if (!why.empty()) {
    subscription_->stop();
    end(std::make_exception_ptr(error(errc::transport_failed, name_ + ": " + why)));
  }
}

void puller::end(const std::exception_ptr& why) noexcept {
  ended_ = true;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (owner_left_) return;
  }
  to_->ended(why);
}

void puller::completed(const std::exception_ptr& why) noexcept {
  if (!ended_ && why) end(why);
  if (!ended_) end(std::make_exception_ptr(requests_->failed(NATS_CONNECTION_CLOSED, name_)));
  to_.reset();  // it may own the source
}

void puller::later(time_point when, void (puller::*what)() noexcept) {
  clock_->at(when, [weak = weak_from_this(), what] {
    if (const auto self = weak.lock()) (self.get()->*what)();
  });
}

void puller::try_again() noexcept {
  const std::lock_guard lock(mutex_);
  if (!unsure_) return;
  unsure_ = false;
  request();
}

void puller::look_again() noexcept {
  const std::lock_guard lock(mutex_);
  if (unsure_) ask_whether_there();
}

void puller::watch() noexcept {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  const auto now = std::chrono::steady_clock::now();
  const bool waits = unsure_ || requested_ > 0;
  if (waits && now - heard_ >= silence) {
    requested_ = 0;
    ask_whether_there();
  }
  later(now + silence / 4, &puller::watch);
}

void puller::connection_is_back() noexcept {
  const std::lock_guard lock(mutex_);
  requested_ = 0;
  ask_whether_there();
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
  if (!std::exchange(stopped_, true)) subscription_->drain();
}

void puller::wait_until_given_back(time_point until) noexcept {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  if (left > 0ms && !requests_->is_away()) subscription_->wait_until_drained(left.count());
}

// --- Finding or making the consumer. -------------------------------------------------------------

namespace {

constexpr auto patience = std::chrono::seconds(5);

asio::awaitable<json> make_consumer(std::shared_ptr<session> through, std::string name,
                                    std::string stream, json config, const char* action,
                                    time_point until) {
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
                             std::string what, json there, time_point until) {
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
  const auto until = std::chrono::steady_clock::now() + patience;
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
