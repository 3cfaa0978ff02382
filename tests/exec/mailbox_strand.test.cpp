#include <msgbus/detail/exec/mailbox_strand.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <string>

namespace mailbox_strand_test {

using msgbus::exec::child_executor;
using msgbus::exec::is_waited_for;
using msgbus::exec::make_mailbox_strand;
using msgbus::exec::runs_on;
using msgbus::exec::wait_chain;
using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;

TEST_CASE("functions that are posted to a mailbox strand run one after the other, in order") {
  stepping_context context(shuffled{3});
  const asio::any_io_executor strand = make_mailbox_strand(context.get_executor(), nullptr);
  std::string done;
  for (char c = 'a'; c <= 'j'; ++c) asio::post(strand, [&done, c] { done += c; });
  context.run();
  CHECK(done == "abcdefghij");
}

TEST_CASE(
    "what is dispatched inside a mailbox strand runs there at once, what is posted does not") {
  stepping_context context;
  const asio::any_io_executor strand = make_mailbox_strand(context.get_executor(), nullptr);
  std::string done;
  asio::post(strand, [&] {
    asio::dispatch(strand, [&] { done += 'a'; });
    asio::post(strand, [&] { done += 'c'; });
    done += 'b';
  });
  context.run();
  CHECK(done == "abc");
}

TEST_CASE("a mailbox strand is on its base's context, and is known to run there") {
  stepping_context context, other;
  const asio::any_io_executor base = context.get_executor();
  const asio::any_io_executor strand = make_mailbox_strand(base, nullptr);
  CHECK(&asio::query(strand, asio::execution::context) == &context.context());
  CHECK(runs_on(base, base));
  CHECK(runs_on(strand, base));
  CHECK_FALSE(runs_on(base, strand));
  CHECK_FALSE(runs_on(strand, other.get_executor()));
  CHECK(runs_on(asio::require(strand, asio::execution::blocking.never), base));
}

TEST_CASE("copies are the same executor, another strand is another") {
  stepping_context context;
  const auto strand = make_mailbox_strand(context.get_executor(), nullptr);
  const auto copy = strand;
  CHECK(strand == copy);
  CHECK(asio::any_io_executor(strand) == asio::any_io_executor(copy));
  CHECK(strand != make_mailbox_strand(context.get_executor(), nullptr));
}

TEST_CASE("an executor knows the mailboxes that wait for its work, near and far", "[A6]") {
  stepping_context context;
  const asio::any_io_executor base = context.get_executor();
  const int near = 0, far = 0, other = 0;
  const auto outer = std::make_shared<const wait_chain>(wait_chain{&far, nullptr});
  const auto inner = std::make_shared<const wait_chain>(wait_chain{&near, outer});
  const asio::any_io_executor strand = make_mailbox_strand(base, inner);
  CHECK(is_waited_for(strand, &near));
  CHECK(is_waited_for(strand, &far));
  CHECK_FALSE(is_waited_for(strand, &other));
  CHECK_FALSE(is_waited_for(base, &near));
  CHECK_FALSE(is_waited_for(asio::any_io_executor(), &near));

  // What a handler spawns is waited for by the same, wherever it runs.
  stepping_context elsewhere;
  const auto child = child_executor(strand, elsewhere.get_executor(), false);
  CHECK(is_waited_for(child, &far));
  CHECK(runs_on(child, elsewhere.get_executor()));
}

TEST_CASE("a strand is made only where one is needed") {
  stepping_context context;
  const asio::any_io_executor base = context.get_executor();
  CHECK(child_executor(base, base, false) == base);
  CHECK(child_executor(base, base, true) != base);
  CHECK(runs_on(child_executor(base, base, true), base));
}

TEST_CASE("work on an executor keeps its context running, and an executor alone does not") {
  asio::io_context context;
  asio::any_io_executor strand = make_mailbox_strand(context.get_executor(), nullptr);
  context.run();
  CHECK(context.stopped());
  context.restart();
  asio::any_io_executor work = msgbus::exec::work_on(strand);
  context.poll();
  CHECK_FALSE(context.stopped());
  work = {};
  context.run();
  CHECK(context.stopped());
}

}  // namespace mailbox_strand_test
