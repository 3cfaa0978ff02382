#include <msgbus/detail/exec/needs.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>

namespace needs_test {

using msgbus::depends;

namespace {

std::string& log() {
  static std::string written;
  return written;
}

struct pool {
  pool() { log() += "+pool"; }
  pool(const pool&) = delete;
  ~pool() { log() += "-pool"; }
  int size = 3;
};
struct session {
  explicit session(const pool& of) : size(of.size) { log() += "+session"; }
  session(const session&) = delete;
  ~session() { log() += "-session"; }
  int size;
};

pool get_pool() { return {}; }
session get_session(depends<get_pool> from) { return session(*from); }
int& get_counter() {
  static int counter = 4;
  return counter;
}
void get_cleaned(msgbus::yield<int> yield) { yield(1); }

template <const auto&... Ds>
using list = msgbus::detail::type_list<msgbus::component::dependency<Ds>...>;
template <class Named>
using in_order = typename msgbus::component::in_order<list<>, list<>, Named>::type;
template <class Named>
constexpr msgbus::exec::needs needs_of = msgbus::exec::needs_of<Named, in_order<Named>>::erased;

}  // namespace

TEST_CASE("dependencies are kept in one object, and destroyed in reverse order", "[I2]") {
  constexpr const auto& all = needs_of<list<get_counter, get_session>>;
  STATIC_REQUIRE(all.keep != nullptr);
  CHECK(all.all().size() == 2);
  log().clear();
  const std::unique_ptr<std::byte[]> place(new std::byte[all.size]);
  void* needed[2] = {};
  all.keep(place.get(), needed);
  CHECK(needed[0] == &get_counter());
  CHECK(static_cast<session*>(needed[1])->size == 3);
  all.drop(place.get());
  CHECK(log() == "+pool+session-session-pool");
}

TEST_CASE("references need not be destroyed") {
  STATIC_REQUIRE(needs_of<list<get_counter>>.drop == nullptr);
}

TEST_CASE("dependencies that clean up are not kept") {
  STATIC_REQUIRE(needs_of<list<get_cleaned>>.keep == nullptr);
  STATIC_REQUIRE_FALSE(needs_of<list<get_cleaned>>.has_async);
}

}  // namespace needs_test
