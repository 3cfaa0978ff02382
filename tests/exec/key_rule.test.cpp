#include <msgbus/detail/exec/key_rule.hpp>

#include "support/catch.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace key_rule_test {

using msgbus::detail::key_of;
using msgbus::exec::key_of_failure;
using msgbus::exec::key_of_type;
using msgbus::exec::key_rule_by;
using msgbus::exec::keyed_ptr;

namespace {

struct order {
  int account;
  std::string name;
};
struct payment {
  long account;
};

template <class M, class F>
keyed_ptr key(F f, const M& message, std::string_view topic = {}) {
  return key_rule_by<M, F>(std::move(f)).key(&message, topic);
}

}  // namespace

TEST_CASE("keys are equal if their values are, whatever the type of the message", "[P5]") {
  const auto of_order = [](const order& o) { return o.account; };
  const auto of_payment = [](const payment& p) { return p.account; };
  const keyed_ptr one = key(of_order, order{1, "a"});
  CHECK(one->is_same_key(*key(of_order, order{1, "b"})));
  CHECK_FALSE(one->is_same_key(*key(of_order, order{2, "a"})));
  CHECK(one->is_same_key(*key(of_payment, payment{1})));
  CHECK_FALSE(one->is_same_key(*key(of_payment, payment{2})));
}

TEST_CASE("text is one kind of key, however it is returned", "[P5]") {
  const auto copy = [](const order& o) { return o.name; };
  const auto view = [](const order& o) -> std::string_view { return o.name; };
  const keyed_ptr one = key(copy, order{1, "a"});
  CHECK(one->is_same_key(*key(view, order{2, "a"})));
  CHECK(one->is_same_key(*key(&order::name, order{2, "a"})));
  CHECK_FALSE(one->is_same_key(*key(view, order{1, "b"})));
  CHECK_FALSE(one->is_same_key(*key([](const order& o) { return o.account; }, order{1, "a"})));
}

TEST_CASE("a key may be made of the topic", "[P5]") {
  const auto by_topic = [](const order&, std::string_view topic) { return topic; };
  const keyed_ptr one = key(by_topic, order{1, "a"}, "x.y");
  CHECK(one->is_same_key(*key(by_topic, order{2, "b"}, "x.y")));
  CHECK_FALSE(one->is_same_key(*key(by_topic, order{1, "a"}, "x.z")));
}

TEST_CASE("no key is a key of its own", "[P5]") {
  const auto maybe = [](const order& o) {
    return o.account == 0 ? std::nullopt : std::optional(o.account);
  };
  const keyed_ptr none = key(maybe, order{0, ""});
  CHECK(none->is_same_key(*key(maybe, order{0, "b"})));
  CHECK_FALSE(none->is_same_key(*key(maybe, order{1, ""})));
}

TEST_CASE("the key of a type without a rule is its type", "[P5]") {
  const keyed_ptr one = key_of_type(key_of<order>);
  CHECK(one->is_same_key(*key_of_type(key_of<order>)));
  CHECK_FALSE(one->is_same_key(*key_of_type(key_of<payment>)));
}

TEST_CASE("a key that could not be made knows why", "[P5]") {
  try {
    throw std::runtime_error("no account");
  } catch (...) {
    const keyed_ptr made = key_of_failure(key_of<order>);
    CHECK(made->failure);
    CHECK(made->is_same_key(*key_of_type(key_of<order>)));
  }
}

}  // namespace key_rule_test
