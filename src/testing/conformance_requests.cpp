// Cases of `new_inbox` and `reply_to`.

#include "testing/conformance_tools.hpp"

namespace msgbus::testing::conformance {

namespace {

using transport::urgency;

// Answers each message with a mark and its payload.
class echo final : public transport::sink {
 public:
  explicit echo(std::weak_ptr<transport::transport> over) : over_(std::move(over)) {}
  bool take(envelope&& message, bool /*may_wait*/) noexcept override {
    const auto over = over_.lock();
    if (!over || message.reply_to.empty()) return false;
    over->publish(made(message.reply_to, "answer to " + message.payload), urgency::at_once);
    return true;
  }

 private:
  const std::weak_ptr<transport::transport> over_;
};

envelope asked(const std::string& topic, std::string payload, std::string reply_to) {
  envelope message = made(topic, std::move(payload));
  message.reply_to = std::move(reply_to);
  return message;
}

asio::awaitable<void> inboxes(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  const std::string first = mine->new_inbox();
  const std::string second = mine->new_inbox();
  const std::string third = other->new_inbox();
  expect(first != second && first != third && second != third, "inboxes differ");
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(mine, first + ".>", "", got, in.deadline());
  other->publish(made(third + ".1", "elsewhere"), urgency::at_once);
  other->publish(made(first + ".1.x", "here"), urgency::at_once);
  co_await got->until_size(1, in.deadline());
  expect(got->at(0).payload == "here", "an inbox belongs to one connection");
  expect(got->at(0).topic == first + ".1.x", "the topics below an inbox belong to its connection");
}

asio::awaitable<void> is_answered(transport_environment& in) {
  const connection client = co_await in.connect();
  const connection server = co_await in.connect();
  const auto answers = std::make_shared<echo>(server);
  const auto serving = server->subscribe(in.topic("users.*"), in.topic("group"), answers);
  co_await server->flush(in.deadline());
  const auto got = std::make_shared<recorder>();
  const std::string inbox = client->new_inbox();
  const auto feed = co_await listen(client, inbox + ".*", "", got, in.deadline());
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    client->publish(asked(in.topic("users.get"), number, inbox + "." + number), urgency::at_once);
  }
  co_await got->until_size(20, in.deadline());
  for (std::size_t i = 0; i < 20; ++i) {
    const envelope came = got->at(i);
    const std::string number = came.payload.substr(std::string("answer to ").size());
    expect(came.topic == inbox + "." + number, "a reply arrives at its topic");
  }
}

asio::awaitable<void> nobody_answers(transport_environment& in) {
  const connection client = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const std::string inbox = client->new_inbox();
  const auto feed = co_await listen(client, inbox + ".*", "", got, in.deadline());
  client->publish(asked(in.topic("nobody"), "x", inbox + ".1"), urgency::at_once);
  co_await got->until_size(1, in.deadline());
  const envelope came = got->at(0);
  expect(came.topic == inbox + ".1", "the status arrives at the topic of the reply");
  const auto status = came.headers.find(header::status);
  expect(status != came.headers.end() && status->second == "503",
         "the header 'Status' is 503 without a listener");
}

asio::awaitable<void> own_service(transport_environment& in) {
  const connection mine = co_await in.connect();
  const auto answers = std::make_shared<echo>(mine);
  const auto serving = mine->subscribe(in.topic("users.*"), "", answers);
  const auto got = std::make_shared<recorder>();
  const std::string inbox = mine->new_inbox();
  const auto feed = co_await listen(mine, inbox, "", got, in.deadline());
  mine->publish(asked(in.topic("users.get"), "1", inbox), urgency::at_once);
  co_await got->until_size(1, in.deadline());
  expect(got->at(0).payload == "answer to 1", "a process may call a service of its own");
}

// A remote service ends its calls on this notification, before their timeout.
asio::awaitable<void> loss_ends_requests(transport_environment& in) {
  const connection client = co_await in.connect();
  const connection server = co_await in.connect();
  const auto unanswered = std::make_shared<recorder>();
  const auto slow = co_await listen(server, in.topic("slow"), "", unanswered, in.deadline());
  const auto answers = std::make_shared<echo>(server);
  const auto serving = server->subscribe(in.topic("users.*"), "", answers);
  co_await server->flush(in.deadline());
  const auto got = std::make_shared<recorder>();
  const std::string inbox = client->new_inbox();
  const auto feed = co_await listen(client, inbox + ".*", "", got, in.deadline());
  client->publish(asked(in.topic("slow"), "1", inbox + ".1"), urgency::at_once);
  co_await unanswered->until_size(1, in.deadline());
  expect(got->losses() == 0, "no loss is reported while the connection is present");

  co_await in.cut(*client);
  co_await got->until_lost(1, in.deadline());
  expect(got->size() == 0, "a pending request gets a notification of the loss, and no reply");
  // A request that is made while the connection is away is sent later, and is not lost.
  client->publish(asked(in.topic("users.get"), "2", inbox + ".2"), urgency::at_once);
  co_await in.restore(*client);
  co_await got->until_size(1, in.deadline());
  expect(got->at(0).payload == "answer to 2", "the inbox comes back with its connection");
  co_await client->flush(in.deadline());
  expect(got->losses() == 1, "a loss is reported once");
  expect(unanswered->losses() == 0, "a loss is reported to subscriptions of that connection only");

  co_await in.cut(*client);
  co_await got->until_lost(2, in.deadline());
  co_await in.restore(*client);
}

}  // namespace

void add_request_cases(cases& to) {
  to.push_back({"inboxes are topics of one connection alone", anything, inboxes});
  to.push_back({"a request is answered at its inbox", anything, is_answered});
  to.push_back({"a request without a listener is answered with 503", anything, nobody_answers});
  to.push_back({"a process may call its own service", anything, own_service});
  to.push_back({"a pending request is notified at once of the loss of its connection", away,
                loss_ends_requests});
}

}  // namespace msgbus::testing::conformance
