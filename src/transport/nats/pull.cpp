#include "pull.hpp"

#include "jetstream.hpp"
#include "puller.hpp"
#include "transport/names.hpp"

#include <msgbus/core/topic.hpp>

namespace msgbus::nats {

namespace {

constexpr auto patience = std::chrono::seconds(5);

json config_of(const transport::pull_options& which) {
  json config = {
      {"durable_name", which.durable},
      {"deliver_policy", "all"},
      {"replay_policy", "instant"},
      {"ack_policy", "explicit"},
      {"ack_wait", std::chrono::duration_cast<std::chrono::nanoseconds>(which.ack_wait).count()},
      // Whoever settles counts: what the server gave up on would stay in limbo.
      {"max_deliver", -1},
      // What is asked for is the limit.
      {"max_ack_pending", -1}};
  if (!which.filter.empty()) config["filter_subject"] = which.filter;
  return config;
}

// What of the consumer that is there is not as wanted, in words; empty if nothing.
std::string difference(const json& there, const json& wanted) {
  std::string text;
  for (const char* const each :
       {"ack_policy", "ack_wait", "max_deliver", "max_ack_pending", "filter_subject"}) {
    const json is = there.contains(each) ? there[each] : json("");
    const json should = wanted.contains(each) ? wanted[each] : json("");
    if (is == should) continue;
    if (!text.empty()) text += ", ";
    text += std::string(each) + " is " + is.dump() + " instead of " + should.dump();
  }
  return text;
}

asio::awaitable<void> ensure_consumer(std::shared_ptr<session> through,
                                      transport::pull_options which) {
  const std::string name = which.stream + '.' + which.durable;
  const std::string what = "stream '" + which.stream + "', durable '" + which.durable + "'";
  const auto until = std::chrono::steady_clock::now() + patience;
  json config = config_of(which);
  std::string different;
  json known = co_await ask_jetstream(through, "CONSUMER.INFO." + name, nullptr, until);
  if (refusal_of(known).err_code != consumer_not_found) {
    check_answer(known, what);
    const json& there = known["config"];
    if (there.contains("deliver_subject")) {
      throw error(errc::transport_failed, what + ": the server pushes it, it cannot be pulled");
    }
    different = difference(there, config);
    if (different.empty()) co_return;
    json merged = there;
    merged.update(config);
    if (which.filter.empty()) merged.erase("filter_subject");
    config = std::move(merged);
  }
  json request;
  request["stream_name"] = which.stream;
  request["config"] = std::move(config);
  json made = co_await ask_jetstream(through, "CONSUMER.DURABLE.CREATE." + name, request, until);
  const bool refused = !refusal_of(made).text.empty();
  check_answer(made, refused && !different.empty() ? what + ": " + different : what);
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
  if (!which.filter.empty()) check_pattern(which.filter);
  co_await ensure_consumer(through, which);
  auto made = std::make_shared<puller>(*through, which, std::move(to));
  made->start();
  through->add(made);
  std::unique_ptr<transport::source> result = std::make_unique<nats_source>(std::move(made));
  co_return result;
}

}  // namespace msgbus::nats
