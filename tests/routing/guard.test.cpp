#include <msgbus/detail/routing/guard.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <optional>
#include <vector>

namespace guard_test {

namespace routing = msgbus::routing;
using msgbus_test::expect;

namespace {

/// Sets a flag when it is destroyed.
struct telltale {
  explicit telltale(std::atomic<bool>& gone) : gone_(gone) {}
  ~telltale() { gone_ = true; }
  std::atomic<bool>& gone_;
};

routing::retire_list retired_with(std::atomic<bool>& gone) {
  routing::retire_list things;
  things.add(std::make_unique<telltale>(gone));
  return things;
}

/// A thread that holds a guard until `end`.
class guarding_thread {
 public:
  explicit guarding_thread(const routing::domain& domain)
      : reader_(std::async(std::launch::async, [this, &domain] {
          const routing::guard guard(domain);
          guarded_.set();
          may_end_.wait();
        })) {
    guarded_.wait();
  }
  guarding_thread(const guarding_thread&) = delete;
  guarding_thread& operator=(const guarding_thread&) = delete;
  ~guarding_thread() {
    if (!may_end_.is_set()) may_end_.set();
  }

  void end() {
    may_end_.set();
    reader_.get();
  }

 private:
  msgbus_test::event guarded_;
  msgbus_test::event may_end_;
  std::future<void> reader_;
};

}  // namespace

TEST_CASE("without a guard, retired objects are destroyed before the call returns", "[D6]") {
  const routing::domain domain;
  std::atomic<bool> gone{false};
  routing::retire(domain, retired_with(gone));
  CHECK(gone);
}

TEST_CASE("a guard keeps retired objects, and its end destroys them", "[D6]") {
  const routing::domain domain;
  std::atomic<bool> gone{false};
  {
    const routing::guard guard(domain);
    routing::retire(domain, retired_with(gone));
    CHECK_FALSE(gone);
  }
  CHECK(gone);
}

TEST_CASE("a guard of another domain does not keep retired objects", "[D6]") {
  const routing::domain domain;
  const routing::domain other;
  std::atomic<bool> gone{false};
  const routing::guard guard(other);
  routing::retire(domain, retired_with(gone));
  CHECK(gone);
}

TEST_CASE("the last of nested guards to end destroys retired objects", "[D6]") {
  const routing::domain domain;
  const routing::domain between;
  std::atomic<bool> gone{false};
  {
    const routing::guard outer(domain);
    {
      const routing::guard middle(between);
      {
        const routing::guard inner(domain);
        routing::retire(domain, retired_with(gone));
      }
      CHECK_FALSE(gone);
    }
    CHECK_FALSE(gone);
  }
  CHECK(gone);
}

namespace {

void nest(const routing::domain& domain, int depth, const std::function<void()>& inside) {
  const routing::guard guard(domain);
  CHECK(routing::inside_guard());
  if (depth > 1) {
    nest(domain, depth - 1, inside);
  } else {
    inside();
  }
  CHECK(routing::inside_guard());
}

}  // namespace

TEST_CASE("guards nest beyond a block of slots", "[D5]") {
  const routing::domain domain;
  for (const int depth : {1, 30, 31, 32, 33, 62, 63, 64, 200, 31}) {
    std::atomic<bool> gone{false};
    nest(domain, depth, [&] {
      routing::retire(domain, retired_with(gone));
      CHECK_FALSE(gone);
    });
    CHECK(gone);
    CHECK_FALSE(routing::inside_guard());
  }
}

TEST_CASE("retire waits for a guard of another thread", "[D6]") {
  const routing::domain domain;
  std::atomic<bool> gone{false};
  msgbus_test::event guarded;
  msgbus_test::event may_end;
  // given: a thread that holds a guard
  auto reader = std::async(std::launch::async, [&] {
    const routing::guard guard(domain);
    guarded.set();
    may_end.wait();
    expect(!gone, "a guard keeps retired objects");
  });
  guarded.wait();
  std::atomic<bool> returned{false};
  // when: another thread retires an object
  auto writer = std::async(std::launch::async, [&] {
    routing::retire(domain, retired_with(gone));
    expect(gone, "the object is destroyed when retire returns");
    returned = true;
  });
  // then: retire returns after the guard has ended
  CHECK_FALSE(returned);
  may_end.set();
  reader.get();
  writer.get();
  CHECK(gone);
}

TEST_CASE("a thread inside any guard does not wait for a guard of another thread", "[D6]") {
  const routing::domain domain;
  const routing::domain other;
  std::atomic<bool> gone{false};
  // given: a thread that holds a guard
  guarding_thread reader(domain);
  {
    // when: a thread inside another guard retires an object
    const routing::guard guard(other);
    routing::retire(domain, retired_with(gone));  // a wait would never end
    CHECK_FALSE(gone);
  }
  CHECK_FALSE(gone);
  // then: the end of the first guard destroys it
  reader.end();
  CHECK(gone);  // the end of the reader's guard has destroyed it
}

TEST_CASE("retire_later never waits", "[D8]") {
  const routing::domain domain;
  std::atomic<bool> gone{false};
  guarding_thread reader(domain);
  routing::retire_later(domain, retired_with(gone));
  CHECK_FALSE(gone);
  reader.end();
  CHECK(gone);
}

TEST_CASE("a destructor in a retire list may use guards and retire objects", "[D5]") {
  const routing::domain domain;
  std::atomic<bool> gone{false};
  struct retiring {
    const routing::domain& in;
    std::atomic<bool>& flag;
    ~retiring() {
      const routing::guard guard(in);
      routing::retire(in, retired_with(flag));
    }
  };
  routing::retire_list things;
  things.add(std::unique_ptr<retiring>(new retiring{domain, gone}));
  routing::retire(domain, std::move(things));
  CHECK(gone);
}

TEST_CASE("a thread that has ended leaves no guard that retire waits for", "[D6]") {
  const routing::domain domain;
  for (int i = 0; i < 100; ++i) {
    std::thread([&] { const routing::guard guard(domain); }).join();
  }
  std::atomic<bool> gone{false};
  routing::retire(domain, retired_with(gone));
  CHECK(gone);
}

TEST_CASE("a thread's last destructors may still hold guards", "[D5]") {
  static const routing::domain domain;
  static std::atomic<bool> gone{false};
  struct late {
    ~late() {
      const routing::guard guard(domain);
      routing::retire(domain, retired_with(gone));
    }
  };
  std::thread([] {
    thread_local const late destroyed_after_the_guards;
    (void)&destroyed_after_the_guards;
    const routing::guard guard(domain);
  }).join();
  CHECK(gone);
}

}  // namespace guard_test
