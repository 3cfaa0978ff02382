// What a dispatch must not cost: memory. Counted by the global operators new of this program.

#include <msgbus/sync.hpp>
#include <msgbus/tracer.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

namespace {

void* counted(std::size_t size) {
  ++msgbus_test::allocations;
  ++msgbus_test::blocks_kept;
  if (size > msgbus_test::largest) msgbus_test::largest = size;
  if (void* const block = std::malloc(size)) return block;
  throw std::bad_alloc();
}

void freed(void* block) noexcept {
  if (block) --msgbus_test::blocks_kept;
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* block) noexcept { freed(block); }
void operator delete[](void* block) noexcept { freed(block); }
void operator delete(void* block, std::size_t) noexcept { freed(block); }
void operator delete[](void* block, std::size_t) noexcept { freed(block); }

namespace allocations_test {

namespace bus = msgbus::sync;

using msgbus_test::allocations;

namespace {

struct placed {
  int id;
};

inline constexpr msgbus::topic<placed> order_placed{"orders.placed"};

int stored = 1;
int& get_stored() { return stored; }
int get_twice(msgbus::depends<get_stored> base) { return *base * 2; }
void get_guarded(msgbus::yield<int> yield, msgbus::depends<get_twice> twice) { yield(*twice); }
inline constexpr msgbus::required<int&> get_required{"required"};

/// How often memory is allocated by `what`, once it has run and everything is set up.
template <class F>
long allocations_of(F what) {
  what();
  const long before = allocations;
  what();
  return allocations - before;
}

}  // namespace

TEST_CASE("this program counts allocations") {
  // Called by name: a compiler may leave out what a new-expression would allocate.
  CHECK(allocations_of([] { ::operator delete(::operator new(8)); }) == 1);
}

TEST_CASE("dispatching an event allocates nothing", "[D7][D9]") {
  bus::consumer consumer;
  bus::producer producer;
  producer.bind(consumer);
  long sum = 0;
  for (int i = 0; i < 10; ++i) consumer.handler([&](const placed& event) { sum += event.id; });
  consumer.handler([&](msgbus::any_event event) { sum += event.get_if<placed>()->id; });
  CHECK(allocations_of([&] { consumer.consume(placed{1}); }) == 0);
  CHECK(allocations_of([&] { producer.dispatch(placed{1}); }) == 0);
  CHECK(sum == 44);
}

TEST_CASE("publishing to a topic allocates nothing, exact, typed or with wildcards", "[D7][D9]") {
  bus::subscriber subscriber;
  bus::publisher publisher;
  publisher.bind(subscriber);
  long sum = 0;
  const auto add = [&](const placed& event) { sum += event.id; };
  subscriber.subscribe({"orders.placed", "orders.*", ">"}, add);
  subscriber.subscribe("orders.>", add);
  CHECK(allocations_of([&] { subscriber.receive(placed{1}, "orders.placed"); }) == 0);
  CHECK(allocations_of([&] { publisher.publish(placed{1}, "orders.elsewhere"); }) == 0);
  CHECK(allocations_of([&] { publisher.publish(placed{1}, order_placed); }) == 0);
  CHECK(sum == 12);
}

TEST_CASE("injection allocates nothing, with defaults, overrides or clean-ups", "[I6]") {
  bus::consumer consumer;
  long sum = 0;
  consumer.handler([&](const placed&, msgbus::depends<get_guarded> guarded,
                       msgbus::depends<get_twice> twice) { sum += *guarded + *twice; });
  CHECK(allocations_of([&] { consumer.consume(placed{1}); }) == 0);
  consumer.override(get_stored, get_stored);
  CHECK(allocations_of([&] { consumer.consume(placed{1}); }) == 0);
  consumer.handler([&](const placed&, msgbus::depends<get_required> value) { sum += *value; });
  consumer.override(get_required, get_stored);
  CHECK(allocations_of([&] { consumer.consume(placed{1}); }) == 0);
}

TEST_CASE("executing an operation allocates nothing by itself", "[D7]") {
  bus::service service;
  auto add = service.handler("add", [](int a, const std::string& b) { return a + int(b.size()); });
  const std::string text = "a text that is too long to be kept inside of the string itself";
  CHECK(allocations_of([&] { add(1, text); }) == 0);
  CHECK(allocations_of([&] { service.execute<int>("add", 1, text); }) == 0);
}

TEST_CASE("a sync verb whose trace is not sampled allocates nothing", "[D7][O4]") {
  struct ignoring : msgbus::tracer {
    using tracer::tracer;
    void ended(const msgbus::span_data&) override { FAIL("it samples nothing"); }
  };
  const auto by =
      std::make_shared<ignoring>(msgbus::sampler::parent_based(msgbus::sampler::never()));
  bus::consumer consumer;
  bus::producer producer;
  bus::subscriber subscriber;
  bus::publisher publisher;
  bus::service service;
  producer.bind(consumer);
  publisher.bind(subscriber);
  long sum = 0;
  const auto add = [&](const placed& event) { sum += event.id; };
  consumer.handler(add);
  subscriber.subscribe({order_placed.name(), "orders.*"}, add);
  auto operation = service.handler("add", [&](int number) { sum += number; });
  const auto traced = [&](auto&... each) { (each.trace(by), ...); };
  traced(consumer, producer, subscriber, publisher, service);
  CHECK(allocations_of([&] { consumer.consume(placed{1}); }) == 0);
  CHECK(allocations_of([&] { producer.dispatch(placed{1}); }) == 0);
  CHECK(allocations_of([&] { subscriber.receive(placed{1}, order_placed); }) == 0);
  CHECK(allocations_of([&] { publisher.publish(placed{1}, order_placed); }) == 0);
  CHECK(allocations_of([&] { operation(1); }) == 0);
  CHECK(allocations_of([&] { service.execute<void>("add", 1); }) == 0);
  CHECK(sum == 12);
}

}  // namespace allocations_test
