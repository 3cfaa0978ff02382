#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"

namespace nats_requests_test {

using namespace msgbus_test;
using msgbus::envelope;
using msgbus::transport::urgency;

namespace {

/// Replies to each request with its payload and an exclamation mark.
class answering final : public msgbus::transport::sink {
 public:
  explicit answering(msgbus::transport::transport& over) : over_(over) {}
  bool take(envelope&& request, bool) noexcept override {
    envelope reply{request.reply_to};
    reply.payload = request.payload + "!";
    over_.publish(reply, urgency::at_once);
    return true;
  }

 private:
  msgbus::transport::transport& over_;
};

envelope request_to(const std::string& topic, const std::string& inbox, int number) {
  envelope made{topic};
  made.reply_to = inbox + '.' + std::to_string(number);
  made.payload = std::to_string(number);
  return made;
}

}  // namespace

TEST_CASE("an inbox receives replies without a flush, from any server") {
  const nats_server server;
  loop here;
  // given: a service on the same or on another connection
  const auto asks = connect(here, server);
  const auto serves = GENERATE(false, true) ? asks : connect(here, server);
  auto service = std::make_shared<answering>(*serves);
  const auto served = serves->subscribe("users.get", "users", service);
  here.run(serves->flush(time_limit));

  // when: a request is sent immediately after the inbox is subscribed
  for (int round = 0; round < 50; ++round) {
    const std::string inbox = asks->new_inbox();
    auto answers = std::make_shared<collector>();
    const auto feed = asks->subscribe(inbox + ".*", "", answers);
    asks->publish(request_to("users.get", inbox, round), urgency::at_once);
    const auto got = answers->got.wait_for(1);
    // then: the reply arrives at the inbox
    CHECK(got[0].topic == inbox + '.' + std::to_string(round));
    CHECK(got[0].payload == std::to_string(round) + "!");
  }
}

TEST_CASE("the server replies to a request without a listener") {
  const nats_server server;
  loop here;
  const auto asks = connect(here, server);
  const std::string inbox = asks->new_inbox();
  auto answers = std::make_shared<collector>();
  const auto feed = asks->subscribe(inbox + ".*", "", answers);
  asks->publish(request_to("nobody", inbox, 7), urgency::at_once);
  const auto got = answers->got.wait_for(1);
  CHECK(got[0].topic == inbox + ".7");
  CHECK(got[0].payload.empty());
  CHECK(got[0].headers.at(std::string(msgbus::header::status)) == "503");
}

TEST_CASE("inboxes differ") {
  const nats_server server;
  loop here;
  const auto one = connect(here, server);
  const auto other = connect(here, server);
  CHECK(one->new_inbox() != one->new_inbox());
  CHECK(one->new_inbox() != other->new_inbox());
}

}  // namespace nats_requests_test
