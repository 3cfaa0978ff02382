#include "nats/deliveries.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace deliveries_test {

using msgbus::nats::is_delivery;
using msgbus::nats::nak_text;
using msgbus::nats::pull_credit;
using msgbus::nats::read_ack_topic;
using msgbus::nats::unsettled_list;
using action = pull_credit::action;
using found = pull_credit::found;
using namespace std::chrono_literals;

constexpr pull_credit::time_point start{};
constexpr bool there = false;
constexpr bool away = true;

bool took(pull_credit& of, action& next) { return of.take(start, there, next); }

TEST_CASE("a source keeps one request at the server, for all its credit") {
  pull_credit credit(start);
  CHECK(credit.add(10, start, there) == action::request);
  CHECK(credit.requested() == 10);
  CHECK(credit.number() == 1);
  CHECK(credit.add(5, start, there) == action::nothing);
  action next{};
  for (int i = 0; i < 9; ++i) {
    CHECK(took(credit, next));
    CHECK(next == action::nothing);
  }
  CHECK(took(credit, next));
  CHECK(next == action::request);
  CHECK(credit.requested() == 5);
  CHECK(credit.number() == 2);
}

TEST_CASE("a request asks for no more than a server allows") {
  pull_credit credit(start);
  CHECK(credit.add(5000, start, there) == action::request);
  CHECK(credit.requested() == pull_credit::largest_request);
}

TEST_CASE("a message without credit gets a nak") {
  pull_credit credit(start);
  action next = action::look;
  CHECK_FALSE(took(credit, next));
  CHECK(next == action::nothing);
  CHECK(credit.add(1, start, there) == action::request);
  CHECK(took(credit, next));
  CHECK_FALSE(took(credit, next));
}

TEST_CASE("an expired request is sent again for the remaining credit") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  action next{};
  CHECK(took(credit, next));
  CHECK(credit.answered("1", "408", "Request Timeout", start, there) == action::request);
  CHECK(credit.requested() == 2);
  CHECK(credit.number() == 2);
}

TEST_CASE("a heartbeat, and a status of an earlier request, have no effect") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  CHECK(credit.answered("1", "100", "", start, there) == action::nothing);
  CHECK(credit.requested() == 3);
  CHECK(credit.answered("0", "408", "", start, there) == action::nothing);
  CHECK(credit.requested() == 3);
}

TEST_CASE("a refused source checks that its consumer exists, and tries again later") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  CHECK(credit.answered("1", "409", "Leadership Change", start, there) == action::look);
  CHECK(credit.is_unsure());
  CHECK(credit.add(1, start, there) == action::nothing);
  CHECK(credit.looked(found::there, "", start, there) == action::try_later);
  CHECK(credit.try_again(start, there) == action::request);
  CHECK(credit.requested() == 4);
  CHECK(credit.try_again(start, there) == action::nothing);
}

TEST_CASE("a repeatedly refused source ends with the last refusal") {
  pull_credit credit(start);
  (void)credit.add(1, start, there);
  for (int i = 1; i < pull_credit::most_refusals; ++i) {
    CHECK(credit.answered(std::to_string(i), "409", "No", start, there) == action::look);
    CHECK(credit.looked(found::there, "", start, there) == action::try_later);
    CHECK(credit.try_again(start, there) == action::request);
  }
  CHECK(credit.answered(std::to_string(pull_credit::most_refusals), "409", "Never", start, there) ==
        action::look);
  CHECK(credit.looked(found::there, "", start, there) == action::end);
  CHECK(credit.why() == "409 Never");
}

TEST_CASE("a message or an expired request shows that a refusal has passed") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  CHECK(credit.answered("1", "409", "No", start, there) == action::look);
  action next{};
  CHECK(took(credit, next));
  CHECK(next == action::nothing);  // the check is still pending
  CHECK(credit.looked(found::there, "", start, there) == action::request);
  CHECK(credit.requested() == 2);
}

TEST_CASE("a source ends only if its consumer was deleted") {
  pull_credit credit(start);
  (void)credit.add(1, start, there);
  CHECK(credit.connection_is_back(start) == action::look);
  CHECK(credit.looked(found::unknown, "no answer", start, there) == action::look_later);
  CHECK(credit.look_again(start) == action::look);
  CHECK(credit.looked(found::gone, "consumer not found", start, there) == action::end);
  CHECK(credit.why() == "consumer not found");
}

TEST_CASE("a source whose connection is back asks again for its remaining credit") {
  pull_credit credit(start);
  CHECK(credit.add(4, start, away) == action::nothing);
  CHECK(credit.connection_is_back(start) == action::look);
  CHECK(credit.looked(found::there, "", start, there) == action::request);
  CHECK(credit.requested() == 4);
  CHECK(credit.connection_is_back(start) == action::look);
  CHECK(credit.requested() == 0);
  CHECK(credit.looked(found::there, "", start, there) == action::request);
  CHECK(credit.requested() == 4);
}

TEST_CASE("a source checks its consumer when the server is silent for too long") {
  pull_credit credit(start);
  CHECK(credit.watch(start + 1h) == action::nothing);  // without credit it watches nothing
  (void)credit.add(1, start, there);
  CHECK(credit.watch(start + pull_credit::silence - 1ms) == action::nothing);
  CHECK(credit.watch(start + pull_credit::silence) == action::look);
  CHECK(credit.requested() == 0);
  CHECK(credit.watch(start + pull_credit::silence + 1s) == action::nothing);
  CHECK(credit.watch(start + 2 * pull_credit::silence) == action::look);
}

TEST_CASE("a stopped source sends no request and takes no message") {
  pull_credit credit(start);
  (void)credit.add(2, start, there);
  CHECK(credit.stop());
  CHECK_FALSE(credit.stop());
  action next{};
  CHECK_FALSE(took(credit, next));
  CHECK(credit.add(1, start, there) == action::nothing);
  CHECK(credit.answered("1", "408", "", start, there) == action::nothing);
  CHECK(credit.connection_is_back(start) == action::nothing);
  CHECK(credit.looked(found::gone, "gone", start, there) == action::nothing);
  CHECK(credit.watch(start + 1h) == action::nothing);
}

TEST_CASE("the topic of an acknowledgement has the message's delivery count and sequence") {
  const auto one = read_ack_topic("$JS.ACK.ORDERS.billing.3.17.4.1700000000000000000.0");
  CHECK(one.times == 3);
  CHECK(one.sequence == 17);
  const auto with_domain =
      read_ack_topic("$JS.ACK.hub.ACCOUNT.ORDERS.billing.2.18.5.1700000000000000000.0.token");
  CHECK(with_domain.times == 2);
  CHECK(with_domain.sequence == 18);
}

TEST_CASE("a topic of another form counts as a first delivery") {
  for (const char* const text : {"", ".", "$JS.ACK", "$JS.ACK.a.b.c.d", "$JS.ACK.a.b.0.7", "x"}) {
    INFO(text);
    CHECK(read_ack_topic(text).times == 1);
  }
  CHECK(is_delivery("$JS.ACK.ORDERS.billing.1.1.1.1.0"));
  CHECK_FALSE(is_delivery("_INBOX.1"));
  CHECK_FALSE(is_delivery(""));
}

TEST_CASE("a delivery gets a nak without or with a delay") {
  CHECK(nak_text().view() == "-NAK");
  CHECK(nak_text(0ns).view() == "-NAK");
  CHECK(nak_text(-1s).view() == "-NAK");
  CHECK(nak_text(300ms).view() == R"(-NAK {"delay":300000000})");
  // A hundred years: servers add it to a date.
  CHECK(nak_text(std::chrono::nanoseconds::max()).view() ==
        R"(-NAK {"delay":3153600000000000000})");
}

TEST_CASE("the server gets a progress report every third of a delivery's ack_wait") {
  unsettled_list list(300ms);
  unsettled_list::entry one;
  CHECK(list.empty());
  // given: a delivery with an ack_wait of 300 ms
  CHECK(list.first_time(start) == start + 100ms);
  list.add(one, start);
  CHECK(one.is_listed());
  CHECK_FALSE(list.empty());
  // then: it is due every 100 ms
  CHECK(list.next_due(start + 99ms) == nullptr);
  CHECK(list.next_due(start + 100ms) == &one);
  CHECK(list.next_due(start + 100ms) == nullptr);
  CHECK(list.next_due(start + 199ms) == nullptr);
  CHECK(list.next_due(start + 200ms) == &one);
  // then: a settled delivery is not due
  list.remove(one);
  CHECK(list.empty());
  CHECK_FALSE(one.is_listed());
  CHECK(list.next_due(start + 1h) == nullptr);
}

TEST_CASE("deliveries become due in the order of time, also if others are settled meanwhile") {
  unsettled_list list(300ms);
  std::vector<unsettled_list::entry> all(5);
  // given: five deliveries, three of them settled
  for (int i = 0; i < 5; ++i) list.add(all[static_cast<std::size_t>(i)], start + i * 10ms);
  list.remove(all[0]);  // the first
  list.remove(all[2]);  // one in the middle
  list.remove(all[4]);  // the last
  list.remove(all[4]);  // a second removal has no effect
  // then: the other two are due in order
  CHECK(list.next_due(start + 109ms) == nullptr);
  CHECK(list.next_due(start + 130ms) == &all[1]);
  CHECK(list.next_due(start + 130ms) == &all[3]);
  CHECK(list.next_due(start + 130ms) == nullptr);
  // Both are due again one period after their report.
  CHECK(list.next_due(start + 229ms) == nullptr);
  CHECK(list.next_due(start + 230ms) == &all[1]);
  // then: a new delivery comes after those that are due before it
  list.add(all[0], start + 230ms);
  CHECK(list.next_due(start + 330ms) == &all[3]);
  CHECK(list.next_due(start + 330ms) == &all[1]);
  CHECK(list.next_due(start + 330ms) == &all[0]);
}

TEST_CASE("deliveries that become due shortly after each other are reported together") {
  unsettled_list list(400ms * 3);
  unsettled_list::entry one;
  unsettled_list::entry other;
  list.add(one, start);
  list.add(other, start + 10ms);
  CHECK(list.next_look(start, false) == start + 400ms);
  CHECK(list.next_due(start + 400ms) == &one);
  CHECK(list.next_look(start + 400ms, false) == start + 500ms);  // a quarter of a period later
}

TEST_CASE("a connection that is away is checked often") {
  unsettled_list list(30s);
  unsettled_list::entry one;
  list.add(one, start);
  CHECK(list.next_look(start, true) == start + unsettled_list::while_away);
  unsettled_list impatient(30ms);
  unsettled_list::entry other;
  impatient.add(other, start);
  CHECK(impatient.next_look(start, true) == start + 2500us);
}

TEST_CASE("the shortest ack_wait keeps no thread busy, and the longest does not overflow") {
  CHECK(unsettled_list(0ns).first_time(start) == start + unsettled_list::shortest_period);
  CHECK(unsettled_list(std::chrono::nanoseconds::max()).first_time(start) ==
        start + unsettled_list::longest_period);
}

}  // namespace deliveries_test
