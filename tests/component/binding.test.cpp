#include <msgbus/detail/component/binding.hpp>

#include "support/catch.hpp"

#include <vector>

namespace binding_test {

namespace {

using msgbus::component::binding;
using msgbus::component::bound_to;
using msgbus::routing::handler_range;
using msgbus::routing::single_route;

struct target {
  bound_to<target> senders;
};

std::vector<const target*> bound_in(const single_route& sender) {
  const msgbus::routing::guard guard(sender.guarded());
  std::vector<const target*> all;
  const handler_range list(sender.entries());
  for (const auto* each = list.begin; each != list.end; ++each) {
    all.push_back(&static_cast<const binding<target>*>(each->entry)->target());
  }
  return all;
}

using targets = std::vector<const target*>;

}  // namespace

TEST_CASE("targets are bound in the order of binding, each once", "[D1]") {
  const auto sender = std::make_shared<single_route>();
  const auto first = std::make_shared<target>();
  const auto second = std::make_shared<target>();
  first->senders.bind(*sender, first);
  second->senders.bind(*sender, second);
  first->senders.bind(*sender, first);
  CHECK(bound_in(*sender) == targets{first.get(), second.get()});
  sender->shutdown();
}

TEST_CASE("an unbound target is released, and comes last when it is bound again", "[D6]") {
  const auto sender = std::make_shared<single_route>();
  const auto first = std::make_shared<target>();
  const auto second = std::make_shared<target>();
  first->senders.bind(*sender, first);
  second->senders.bind(*sender, second);
  CHECK(first.use_count() == 2);
  first->senders.unbind(*sender);
  CHECK(first.use_count() == 1);
  first->senders.unbind(*sender);
  CHECK(bound_in(*sender) == targets{second.get()});
  first->senders.bind(*sender, first);
  CHECK(bound_in(*sender) == targets{second.get(), first.get()});
  sender->shutdown();
}

TEST_CASE("unbinding from one sender keeps the other bindings") {
  const auto one = std::make_shared<single_route>();
  const auto other = std::make_shared<single_route>();
  const auto bound = std::make_shared<target>();
  bound->senders.bind(*one, bound);
  bound->senders.bind(*other, bound);
  bound->senders.unbind(*one);
  CHECK(bound_in(*one).empty());
  CHECK(bound_in(*other) == targets{bound.get()});
  other->shutdown();
}

TEST_CASE("a destroyed target is released by all its senders", "[D8]") {
  const auto one = std::make_shared<single_route>();
  const auto other = std::make_shared<single_route>();
  const auto bound = std::make_shared<target>();
  bound->senders.bind(*one, bound);
  bound->senders.bind(*other, bound);
  bound->senders.drop_all();
  CHECK(bound_in(*one).empty());
  CHECK(bound_in(*other).empty());
  CHECK(bound.use_count() == 1);
}

TEST_CASE("a running dispatch keeps a target that is destroyed meanwhile", "[D8]") {
  const auto sender = std::make_shared<single_route>();
  const auto bound = std::make_shared<target>();
  bound->senders.bind(*sender, bound);
  {
    const msgbus::routing::guard guard(sender->guarded());
    bound->senders.drop_all();
    CHECK(bound.use_count() == 2);
  }
  CHECK(bound.use_count() == 1);
}

TEST_CASE("a destroyed sender releases its targets", "[D8]") {
  const auto bound = std::make_shared<target>();
  {
    const auto sender = std::make_shared<single_route>();
    bound->senders.bind(*sender, bound);
    sender->shutdown();
  }
  CHECK(bound.use_count() == 1);
  const auto next = std::make_shared<single_route>();
  bound->senders.bind(*next, bound);  // also if it has the address of the destroyed sender
  CHECK(bound_in(*next) == targets{bound.get()});
  next->shutdown();
}

}  // namespace binding_test
