#include <msgbus/detail/exec/owned_message.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

namespace owned_message_test {

using msgbus::exec::owned_event;
using msgbus::exec::owned_message;
using msgbus::exec::owned_topic_message;
using msgbus::exec::queued_message;
using msgbus::exec::send_operation;

namespace {

struct large {
  std::array<char, 500> bytes{};
  std::string text = "large";
};

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&& other) : text(std::move(other.text)) {}
  std::string text = "may throw";
};

struct throws_when_copied {
  throws_when_copied() = default;
  throws_when_copied(const throws_when_copied&) { throw std::runtime_error("copied"); }
};

template <std::size_t Alignment>
struct aligned {
  alignas(Alignment) int value = 0;
};

struct throws_on_demand {
  explicit throws_on_demand(const bool& when) : throws(when) {}
  throws_on_demand(const throws_on_demand& other) : throws(other.throws) {
    if (throws) throw std::runtime_error("moved");
    text = other.text;
  }
  const bool& throws;
  std::string text = "kept";
};

template <class T>
const T& read(const queued_message& message) {
  return *static_cast<const T*>(message.message().data);
}

template <class E>
owned_message hold(E event) {
  return owned_event<E>(std::move(event));
}

}  // namespace

TEST_CASE("a message is held whatever its size, and moved with what holds it", "[D9]") {
  owned_message small = hold(std::string("a text that is on the heap, and not in the string"));
  const char* const there = read<std::string>(small.get()).data();
  owned_message moved(std::move(small));
  CHECK(read<std::string>(moved.get()).data() == there);

  owned_message held(hold(large{}));
  const queued_message* const at = &held.get();
  owned_message other(std::move(held));
  CHECK(&other.get() == at);  // it is not moved again
  CHECK(read<large>(other.get()).text == "large");

  owned_message one(hold(throws_when_moved{}));
  owned_message two(std::move(one));
  CHECK(read<throws_when_moved>(two.get()).text == "may throw");
}

TEST_CASE("a message and its topic are held together") {
  owned_message held =
      owned_topic_message<int>(7, "orders.a.topic.that.is.too.long.for.a.short.string");
  owned_message moved(std::move(held));
  CHECK(read<int>(moved.get()) == 7);
  CHECK(moved.get().topic() == "orders.a.topic.that.is.too.long.for.a.short.string");
}

TEST_CASE("a held message is destroyed once, wherever it has gone", "[D9]") {
  const auto counted = std::make_shared<int>(1);
  using big = std::pair<std::shared_ptr<int>, large>;
  {
    owned_message small = hold(counted);
    owned_message other = hold(big(counted, {}));
    owned_message moved(std::move(small));
    CHECK(counted.use_count() == 3);
    const auto boxed = moved.share();
    const auto shared = other.share();
    CHECK(counted.use_count() == 3);
    CHECK(read<std::shared_ptr<int>>(*boxed) == counted);
    CHECK(read<big>(*shared).first == counted);
    owned_message third = hold(counted);
    const auto shared_small = third.share();
    CHECK(counted.use_count() == 4);
    const auto again = shared_small->share();
    CHECK(read<std::shared_ptr<int>>(*again) == counted);
  }
  CHECK(counted.use_count() == 1);
}

TEST_CASE("a held message keeps its alignment, wherever it goes", "[D9]") {
  const auto check = [](auto event) {
    using E = decltype(event);
    const auto is_aligned = [](const queued_message& message) {
      const auto at = reinterpret_cast<std::uintptr_t>(message.message().data);
      return at % alignof(E) == 0 && read<E>(message).value == 7;
    };
    event.value = 7;
    for (int i = 0; i < 8; ++i) {
      owned_message held = hold(event);
      CHECK(is_aligned(held.get()));
      CHECK(held.as_send_operation().units() == 0);
      owned_message moved(std::move(held));
      CHECK(is_aligned(moved.get()));
      const auto boxed = moved.share();
      CHECK(is_aligned(*boxed));
      CHECK(is_aligned(*boxed->share()));
      CHECK(is_aligned(*hold(event).share()));
    }
  };
  check(aligned<16>{});
  check(aligned<64>{});
}

TEST_CASE("a move that throws reaches the code that shares the message, which is not lost") {
  bool throws = false;
  owned_message held = hold(throws_on_demand(throws));
  throws = true;
  CHECK_THROWS_AS(held.share(), std::runtime_error);
  CHECK(read<throws_on_demand>(held.get()).text == "kept");
  throws = false;
  CHECK(read<throws_on_demand>(*held.share()).text == "kept");
}

TEST_CASE("a variant that holds nothing is held, and is refused when it is read", "[T3]") {
  using either = std::variant<int, throws_when_copied>;
  either event;
  const throws_when_copied cannot;
  CHECK_THROWS(event.emplace<throws_when_copied>(cannot));
  REQUIRE(event.valueless_by_exception());
  owned_message held = hold(std::variant<std::string, int>(5));
  CHECK(read<int>(held.get()) == 5);

  owned_message empty = owned_event<either>(std::move(event));
  owned_message moved(std::move(empty));
  CHECK_THROWS_AS(moved.get(), std::bad_variant_access);
  CHECK_THROWS_AS(moved.as_send_operation(), std::bad_variant_access);
}

TEST_CASE("a held message goes into a queue itself if it fits, else a reference to it does") {
  msgbus::exec::block_queue queue(4);
  const auto put = [&](owned_message message) {
    send_operation out = message.as_send_operation();
    out.prepare(true);
    const auto claimed = queue.try_claim(out.units());
    out.put(claimed.storage());
    msgbus::exec::block_queue::publish(claimed);
  };
  put(hold(std::string("small")));
  put(hold(large{}));
  for (const char* const expected : {"small", "large"}) {
    queued_message* const taken = queue.take();
    REQUIRE(taken);
    const bool is_small = taken->message().type == msgbus::detail::key_of<std::string>;
    CHECK((is_small ? read<std::string>(*taken) : read<large>(*taken).text) == expected);
    queue.done();
  }

  owned_message shared = hold(std::string("shared"));
  send_operation out = shared.as_send_operation();
  out.prepare(false);
  REQUIRE(out.shared());
  CHECK(read<std::string>(*out.shared()) == "shared");
  CHECK(out.message().type == msgbus::detail::key_of<std::string>);
}

}  // namespace owned_message_test
