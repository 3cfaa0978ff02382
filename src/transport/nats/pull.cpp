#include "pull.hpp"

#include "consumer_config.hpp"
#include "jetstream.hpp"
#include "puller.hpp"
#include "transport/names.hpp"

#include <msgbus/core/topic.hpp>

namespace msgbus::nats {

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
