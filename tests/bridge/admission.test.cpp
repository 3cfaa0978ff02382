#include "bridge/admission.hpp"

#include "support/catch.hpp"

#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace admission_test {

using msgbus::bridging::admission;
using owner = std::unique_ptr<int>;
using verdict = admission<owner>::verdict;

namespace {

verdict offer(admission<owner>& to, int number, bool may_wait = false) {
  auto value = std::make_unique<int>(number);
  const verdict given = to.offer(value, may_wait);
  CHECK((value == nullptr) == (given == verdict::waits));  // else it is still the caller's
  return given;
}

}  // namespace

TEST_CASE("so many run at once, so many wait in order, and the rest is refused") {
  admission<owner> all(2, 2);
  CHECK(offer(all, 1) == verdict::runs);
  CHECK(offer(all, 2) == verdict::runs);
  CHECK(offer(all, 3) == verdict::waits);
  CHECK(offer(all, 4) == verdict::waits);
  CHECK(offer(all, 5) == verdict::refused);
  CHECK(all.taken() == 4);
  CHECK(**all.ended() == 3);  // the place of the one that has ended is taken at once
  CHECK(offer(all, 6) == verdict::waits);
  CHECK(**all.ended() == 4);
  CHECK(**all.ended() == 6);
  CHECK_FALSE(all.ended());
  CHECK_FALSE(all.ended());
  CHECK(offer(all, 7) == verdict::runs);
  CHECK(all.taken() == 6);
}

TEST_CASE("an admission of nothing lets one run and one wait") {
  admission<owner> all(0, 0);
  CHECK(offer(all, 1) == verdict::runs);
  CHECK(offer(all, 2) == verdict::waits);
  CHECK(offer(all, 3) == verdict::refused);
}

TEST_CASE("a closed admission accepts nothing, and waiting commands still run") {
  admission<owner> all(1, 2);
  CHECK(offer(all, 1) == verdict::runs);
  CHECK(offer(all, 2) == verdict::waits);
  all.close();
  CHECK(offer(all, 3) == verdict::refused);
  CHECK(offer(all, 3, true) == verdict::refused);
  CHECK(**all.ended() == 2);
  CHECK_FALSE(all.ended());
  CHECK(offer(all, 4) == verdict::refused);
}

TEST_CASE("a thread that waits for room goes on when there is room, or none will be") {
  admission<owner> all(1, 1);
  CHECK(offer(all, 1) == verdict::runs);
  CHECK(offer(all, 2) == verdict::waits);
  const bool closes = GENERATE(false, true);
  std::promise<verdict> given;
  std::thread transport([&] {
    auto value = std::make_unique<int>(3);
    given.set_value(all.offer(value, true));
  });
  if (closes) {
    all.close();
  } else {
    CHECK(**all.ended() == 2);
  }
  transport.join();
  CHECK(given.get_future().get() == (closes ? verdict::refused : verdict::waits));
}

TEST_CASE("however many threads offer, no more run than may, and each runs once") {
  constexpr int each = 2000;
  constexpr int threads = 4;
  constexpr int limit = 3;
  admission<owner> all(limit, 8);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> ended{0};
  std::atomic<std::uint64_t> sum{0};
  const auto run = [&](owner first) {
    for (std::optional<owner> next(std::move(first)); next; next = all.ended()) {
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      sum += static_cast<std::uint64_t>(**next);
      ++ended;
      --running;
    }
  };
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      for (int i = 1; i <= each; ++i) {
        auto value = std::make_unique<int>(i);
        if (all.offer(value, true) == verdict::runs) run(std::move(value));
      }
    });
  }
  for (std::thread& one : workers) one.join();
  CHECK(ended == each * threads);
  CHECK(sum == std::uint64_t{threads} * each * (each + 1) / 2);
  CHECK(most <= limit);
  CHECK(all.taken() == each * threads);
}

}  // namespace admission_test
