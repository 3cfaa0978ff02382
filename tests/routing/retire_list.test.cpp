#include <msgbus/detail/routing/retire_list.hpp>

#include "support/catch.hpp"

#include <string>

namespace retire_list_test {

using msgbus::routing::retire_list;

namespace {

struct noted {
  noted(std::string& to, char letter) : to_(to), what_(letter) {}
  ~noted() { to_ += what_; }
  std::string& to_;
  char what_;
};

}  // namespace

TEST_CASE("a retire list destroys its objects in the order in which they were added") {
  std::string order;
  {
    retire_list things;
    things.add(std::make_unique<noted>(order, 'a'));
    things.add(std::make_unique<noted>(order, 'b'));
    CHECK(things.size() == 2);
    CHECK(order.empty());
  }
  CHECK(order == "ab");
}

TEST_CASE("objects of a retire list that is moved or added to another are destroyed once, there") {
  std::string order;
  {
    retire_list outer;
    {
      retire_list first;
      first.add(std::make_unique<noted>(order, 'a'));
      retire_list second(std::move(first));
      CHECK(first.empty());
      outer.add(std::make_unique<noted>(order, 'b'));
      outer.add(std::move(second));
    }
    CHECK(order.empty());
    CHECK(outer.size() == 2);
  }
  CHECK(order == "ba");
}

TEST_CASE("assignment to a retire list destroys its earlier objects") {
  std::string order;
  retire_list things;
  things.add(std::make_unique<noted>(order, 'a'));
  things = retire_list();
  CHECK(order == "a");
  CHECK(things.empty());
}

TEST_CASE("a retire list releases its share of a shared object") {
  auto shared = std::make_shared<int>(1);
  {
    retire_list things;
    things.add(std::shared_ptr<const void>(shared));
    CHECK(shared.use_count() == 2);
  }
  CHECK(shared.use_count() == 1);
}

TEST_CASE("a null object is not added to a retire list") {
  retire_list things;
  things.add(std::unique_ptr<int>());
  CHECK(things.empty());
}

}  // namespace retire_list_test
