// Existing durable consumers on a real server: which are used, changed or refused.

#include "support/nats_stream.hpp"

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace nats_durables_test {

using namespace msgbus_test;
using msgbus::errc;

TEST_CASE("an existing durable consumer is changed as requested, if that is possible") {
  with_stream test;
  auto sink = std::make_shared<delivery_collector>();
  test.pull(sink, pull_billing(30s));
  test.pull(sink, pull_billing(30s));
  store(test.here, *test.at, "orders.placed", 1);
  const auto source = test.pull(sink, pull_billing(300ms));
  source->ask(2);
  sink->got.wait_for(1);  // the delivery is destroyed
  CHECK(sink->got.wait_for(1)[0]->times == 2);
}

TEST_CASE("a source with an invalid name of a stream or durable is refused") {
  with_stream test;
  auto sink = std::make_shared<delivery_collector>();
  auto which = pull_billing();
  which.stream = "NOWHERE";
  CHECK_THAT(text_of([&] { test.pull(sink, which); }),
             contains("NOWHERE") && contains("stream not found"));
  which.stream = "a.b";
  CHECK(code_of([&] { test.pull(sink, which); }) == errc::bad_arguments);
  which = pull_billing();
  which.durable = "";
  CHECK(code_of([&] { test.pull(sink, which); }) == errc::bad_arguments);
}

namespace {

using nlohmann::json;

/// Creates the consumer as an operator would, with another program.
json ask_server(const nats_server& server, const std::string& topic, const json& request) {
  loop elsewhere;
  const auto at = connect(elsewhere, server);
  auto answers = std::make_shared<collector>();
  msgbus::envelope asked{"$JS.API." + topic};
  asked.reply_to = at->new_inbox();
  if (!request.is_null()) asked.payload = request.dump();
  const auto feed = at->subscribe(asked.reply_to, "", answers);
  at->publish(asked, msgbus::transport::urgency::at_once);
  return json::parse(answers->got.wait_for(1)[0].payload);
}

json make_consumer(const nats_server& server, const json& changed) {
  json config = {{"durable_name", "billing"}, {"deliver_policy", "new"},
                 {"ack_policy", "explicit"},  {"max_ack_pending", 1000},
                 {"max_deliver", 20},         {"description", "made by its operator"}};
  config.update(changed);
  const json made = ask_server(server, "CONSUMER.DURABLE.CREATE.ORDERS.billing",
                               {{"stream_name", "ORDERS"}, {"config", config}});
  if (made.contains("error")) throw std::runtime_error(made.dump());
  return made["config"];
}

json consumer_there(const nats_server& server) {
  return ask_server(server, "CONSUMER.INFO.ORDERS.billing", nullptr)["config"];
}

}  // namespace

TEST_CASE("a durable consumer that its operator has created is used unchanged") {
  with_stream test;
  store(test.here, *test.at, "orders.placed", 1);  // must not be delivered
  const json before = make_consumer(test.server, json::object());
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  CHECK(consumer_there(test.server) == before);
  source->ask(2);
  store(test.here, *test.at, "orders.placed", 1, 1);
  const auto got = sink->got.wait_for(1);
  CHECK(payload_of(got[0]) == "1");
  CHECK(got[0]->ack());
}

TEST_CASE("only ack_wait of an existing durable consumer is changed") {
  with_stream test;
  const auto other = GENERATE(5s, 60s);
  json before = make_consumer(test.server, {{"ack_wait", std::chrono::nanoseconds(other).count()}});
  auto sink = std::make_shared<delivery_collector>();
  test.pull(sink);
  before["ack_wait"] = 30'000'000'000;
  CHECK(consumer_there(test.server) == before);
}

TEST_CASE("an unusable durable consumer is refused, and stays unchanged") {
  with_stream test;
  // given: a durable consumer with one unusable field
  const auto [changed, text] = GENERATE(table<json, std::string>(
      {{{{"ack_policy", "all"}}, "ack_policy is \"all\", and must be \"explicit\""},
       {{{"filter_subject", "orders.x"}}, "filter_subject is \"orders.x\", and must be empty"},
       {{{"headers_only", true}}, "headers_only is true, and must be absent"},
       {{{"max_batch", 100}}, "max_batch is 100, and must be 1024 at least"},
       {{{"deliver_subject", "there"}, {"max_waiting", nullptr}},
        "deliver_subject is \"there\", and must be absent"},
       {{{"backoff", {1'000'000'000, 2'000'000'000}}}, "backoff is [1000000000,2000000000]"}}));
  INFO(changed.dump());
  const json before = make_consumer(test.server, changed);
  auto sink = std::make_shared<delivery_collector>();
  // when: a source is made for it
  const auto pulling = [&, wanted = text] {
    const std::string said = text_of([&] { test.pull(sink); });
    // then: the error names the field, its value and the required one
    CHECK_THAT(said, contains("stream 'ORDERS', durable 'billing': ") && contains(wanted));
  };
  pulling();
  // then: the consumer is unchanged
  CHECK(consumer_there(test.server) == before);
}

}  // namespace nats_durables_test
