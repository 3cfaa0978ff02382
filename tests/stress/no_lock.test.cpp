// A sync verb takes no lock (D7): it runs to its end while another thread is kept in the middle of
// changing the component.

#include <msgbus/sync.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

namespace no_lock_test {

namespace bus = msgbus::sync;
using msgbus_test::event;

namespace {

struct ping {};

/// A handler that is caught in the moment in which it is put into its component: when it is moved
/// for the last time.
template <class Message>
class caught {
 public:
  caught(event& reached, event& may_go_on, int moves_before)
      : reached_(&reached), may_go_on_(&may_go_on), moves_left_(moves_before) {}
  caught(caught&& other) noexcept
      : reached_(other.reached_), may_go_on_(other.may_go_on_), moves_left_(other.moves_left_ - 1) {
    if (moves_left_ < 0) {
      if (!reached_->is_set()) reached_->set();
      may_go_on_->wait();
    }
  }
  caught& operator=(caught&&) = delete;
  ~caught() = default;
  void operator()(Message) const {}

 private:
  event* reached_;
  event* may_go_on_;
  int moves_left_;
};

}  // namespace

TEST_CASE("verbs run while a handler is being attached", "[D7]") {
  // A handler is moved once on its way in, an operation twice: the last time under the writers'
  // lock.
  bus::consumer consumer;
  bus::subscriber subscriber;
  bus::service service;
  consumer.handler([](const ping&) {});
  subscriber.subscribe("a", [](const ping&) {});
  service.handler("echo", [](int n) { return n; });

  event may_go_on;
  std::vector<std::future<void>> attaching;
  std::array<event, 3> reached;
  attaching.push_back(std::async(std::launch::async, [&] {
    consumer.handler(caught<const ping&>(reached[0], may_go_on, 0));
  }));
  attaching.push_back(std::async(std::launch::async, [&] {
    subscriber.subscribe("a", caught<const ping&>(reached[1], may_go_on, 0));
  }));
  attaching.push_back(std::async(std::launch::async, [&] {
    service.handler("other", caught<int>(reached[2], may_go_on, 1));
  }));
  for (const event& each : reached) each.wait();

  auto verbs = std::async(std::launch::async, [&] {
    msgbus_test::expect(consumer.consume(ping{}) == 1, "an event is handled");
    msgbus_test::expect(subscriber.receive(ping{}, "a") == 1, "a message is handled");
    msgbus_test::expect(service.execute<int>("echo", 4) == 4, "an operation is carried out");
  });
  const bool ended = verbs.wait_for(msgbus_test::deadline) == std::future_status::ready;
  may_go_on.set();
  for (auto& each : attaching) each.get();
  CHECK(ended);
  verbs.get();
}

}  // namespace no_lock_test
