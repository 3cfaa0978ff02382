// Cases of `close`, of executors and cancellation, and of connections that are away.

#include "testing/conformance_tools.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <optional>

namespace msgbus::testing::conformance {

namespace {

using transport::urgency;

// An operation that runs beside the case, on the case's executor.
class beside final : public changing {
 public:
  static std::shared_ptr<beside> start(const asio::any_io_executor& on,
                                       asio::awaitable<void> operation) {
    auto made = std::make_shared<beside>(asio::make_strand(on));
    auto ended = [made](std::exception_ptr failure) {
      {
        const std::lock_guard lock(made->mutex_);
        made->done_ = true;
        made->failure_ = std::move(failure);
      }
      made->changed();
    };
    asio::co_spawn(made->strand_, std::move(operation),
                   asio::bind_cancellation_slot(made->signal_.slot(), std::move(ended)));
    return made;
  }

  explicit beside(asio::strand<asio::any_io_executor> strand) : strand_(std::move(strand)) {}

  [[nodiscard]] bool done() const {
    const std::lock_guard lock(mutex_);
    return done_;
  }

  void cancel(const std::shared_ptr<beside>& self) {
    asio::post(strand_, [self] { self->signal_.emit(asio::cancellation_type::terminal); });
  }

  /// Completes when the operation has ended, with its exception or null.
  static asio::awaitable<std::exception_ptr> failure(std::shared_ptr<beside> of, duration within) {
    std::function<bool()> holds = [of] { return of->done(); };
    std::string text = "the end of a wait";
    co_await of->until(std::move(holds), within, std::move(text));
    co_return of->failure_;
  }

 private:
  const asio::strand<asio::any_io_executor> strand_;
  asio::cancellation_signal signal_;
  mutable std::mutex mutex_;
  bool done_ = false;
  std::exception_ptr failure_;
};

bool is(const std::exception_ptr& failure, errc code) {
  if (!failure) return false;
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    return e.code() == code;
  } catch (...) {
    return false;
  }
}

bool is_aborted(const std::exception_ptr& failure) {
  if (!failure) return false;
  try {
    std::rethrow_exception(failure);
  } catch (const asio::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

asio::awaitable<void> closed_refuses(transport_environment& in) {
  const connection mine = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = mine->subscribe(in.topic("a"), "", got);
  mine->close();
  mine->close();  // a second call has no effect
  const auto publish = [&] { mine->publish(made(in.topic("a")), urgency::bulk); };
  const auto subscribe = [&] { (void)mine->subscribe(in.topic("a"), "", got); };
  const error a = thrown_by(publish, "publishing over a closed connection");
  const error b = thrown_by(subscribe, "subscribing over a closed connection");
  const error c = co_await error_of(mine->flush(in.deadline()), "a flush");
  for (const error& each : {a, b, c}) {
    expect(each.code() == errc::closed, "a closed connection throws 'closed'");
  }
  feed->stop();
}

asio::awaitable<void> closed_refuses_streams(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  mine->close();
  const auto got = std::make_shared<collector>();
  const error a = co_await error_of(make_stream(in, mine), "ensure_stream");
  const error b = co_await error_of(store(in, mine, "a", "x"), "a store");
  const error c = co_await error_of(mine->pull(from_stream(in), got), "a pull");
  for (const error& each : {a, b, c}) {
    expect(each.code() == errc::closed, "a closed connection throws 'closed'");
  }
}

asio::awaitable<void> close_sends(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  for (int i = 0; i < 50; ++i) sender->publish(made(in.topic("a")), urgency::bulk);
  sender->close();
  co_await got->until_size(50, in.deadline());
}

asio::awaitable<void> destructor_closes(transport_environment& in) {
  connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  const auto got = std::make_shared<collector>();
  const auto source = co_await sender->pull(from_stream(in), got);
  const auto heard = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("b"), "", heard, in.deadline());
  sender->publish(made(in.topic("b")), urgency::bulk);
  sender.reset();
  co_await heard->until_size(1, in.deadline());
  co_await got->until_ended(in.deadline());
  source->ask(1);  // safe, and without effect
}

asio::awaitable<void> sources_end(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(from_stream(in), got);
  source->ask(5);
  mine->close();
  co_await got->until_ended(in.deadline());
  const std::string why = describe(got->why_ended());
  expect(why.find(in.stream()) != std::string::npos, "a source that ends names its stream");
  const connection other = co_await in.connect();
  (void)co_await store(in, other, "a", "one");
  expect(got->came() == 0, "a source that has ended gives no message");
}

asio::awaitable<void> closed_feeds(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto control = std::make_shared<recorder>();
  const auto feed = co_await listen(mine, in.topic("a"), "", got, in.deadline());
  const auto kept = co_await listen(other, in.topic("a"), "", control, in.deadline());
  mine->close();
  const connection sender = co_await in.connect();
  sender->publish(made(in.topic("a")), urgency::bulk);
  co_await control->until_size(1, in.deadline());
  expect(got->size() == 0, "the feeds of a closed connection give nothing more");
}

asio::awaitable<void> on_strand(transport_environment* in, connection over,
                                asio::strand<asio::any_io_executor> mine) {
  co_await over->flush(in->deadline());
  expect(mine.running_in_this_thread(), "a flush resumes on its caller's executor");
  if (!in->supports().durable) co_return;
  co_await make_stream(*in, over);
  expect(mine.running_in_this_thread(), "ensure_stream resumes on its caller's executor");
  (void)co_await store(*in, over, "a", "one");
  expect(mine.running_in_this_thread(), "a store resumes on its caller's executor");
  const auto got = std::make_shared<collector>();
  const auto source = co_await over->pull(from_stream(*in), got);
  expect(mine.running_in_this_thread(), "a pull resumes on its caller's executor");
}

asio::awaitable<void> callers_executor(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  const auto strand = asio::make_strand(here);
  co_await asio::co_spawn(strand, on_strand(&in, mine, strand), asio::use_awaitable);
}

asio::awaitable<void> kept_while_away(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  co_await in.cut(*sender);
  sender->publish(made(in.topic("a"), "1"), urgency::bulk);
  sender->publish(made(in.topic("a"), "2"), urgency::bulk);
  co_await in.restore(*sender);
  sender->publish(made(in.topic("a"), "3"), urgency::bulk);
  co_await got->until_size(3, in.deadline());
  for (std::size_t i = 0; i < 3; ++i) {
    expect(got->at(i).payload == std::to_string(i + 1), "kept messages are sent first, in order");
  }
}

asio::awaitable<void> subscriptions_come_back(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  co_await in.cut(*receiver);
  co_await in.restore(*receiver);
  co_await receiver->flush(in.deadline());
  sender->publish(made(in.topic("a"), "1"), urgency::bulk);
  co_await got->until_size(1, in.deadline());
}

asio::awaitable<void> flush_alone(connection over, duration within) { return over->flush(within); }

asio::awaitable<void> store_alone(connection over, envelope message, duration within) {
  (void)co_await over->store(std::move(message), within);
}

asio::awaitable<void> away_times_out(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await in.cut(*mine);
  const error e = co_await error_of(mine->flush(in.patience()), "a flush while away");
  expect(e.code() == errc::timed_out || e.code() == errc::disconnected,
         "a flush that is not done in time throws 'timed_out' or 'disconnected'");
  co_await in.restore(*mine);
  co_await mine->flush(in.deadline());
}

asio::awaitable<void> store_waits(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  co_await in.cut(*mine);
  const error e = co_await error_of(mine->store(with_id(in.topic("a"), "early"), in.patience()),
                                    "a store while away");
  expect(e.code() == errc::timed_out || e.code() == errc::disconnected,
         "a store that is not done in time throws 'timed_out' or 'disconnected'");
  auto store_one = [](transport_environment* env, connection at) -> asio::awaitable<void> {
    (void)co_await store(*env, at, "a", "one");
  };
  const auto storing = beside::start(here, store_one(&in, mine));
  co_await in.restore(*mine);
  const auto failure = co_await beside::failure(storing, in.deadline());
  expect(!failure, "a store tries again until its timeout");
}

asio::awaitable<void> close_ends_waits(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  co_await in.cut(*mine);
  const auto flushing = beside::start(here, flush_alone(mine, in.deadline() * 2));
  mine->close();
  const auto failure = co_await beside::failure(flushing, in.deadline());
  expect(is(failure, errc::closed), "a wait ends with 'closed' when the connection is closed");
}

asio::awaitable<void> cancel_ends_waits(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  co_await in.cut(*mine);
  const auto flushing = beside::start(here, flush_alone(mine, in.deadline() * 2));
  flushing->cancel(flushing);
  const auto failure = co_await beside::failure(flushing, in.deadline());
  expect(is_aborted(failure), "a cancelled wait ends with operation_aborted");
  co_await in.restore(*mine);
  co_await mine->flush(in.deadline());
}

asio::awaitable<void> endless_waits(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, other);
  co_await mine->flush(duration::max());
  (void)co_await mine->store(with_id(in.topic("a"), "1"), duration::max());
  co_await in.cut(*mine);
  const auto flushing = beside::start(here, flush_alone(mine, duration::max()));
  envelope message = with_id(in.topic("a"), "2");
  const auto storing = beside::start(here, store_alone(mine, std::move(message), duration::max()));
  // A short wait would have ended by the time that these stores have completed.
  for (int i = 0; i < 3; ++i) (void)co_await store(in, other, "b", std::to_string(i));
  expect(!flushing->done() && !storing->done(), "a wait without an end does not end by itself");
  const auto over = beside::start(here, flush_alone(mine, duration::min()));
  expect(nullptr != co_await beside::failure(over, in.deadline()),
         "a wait with a negative time ends at once");
  co_await in.restore(*mine);
  const auto one = co_await beside::failure(flushing, in.deadline());
  const auto two = co_await beside::failure(storing, in.deadline());
  expect(!one && !two, "waits without an end last until the connection is back");
}

asio::awaitable<void> endless_patience(transport_environment& in) {
  const connection mine = co_await in.connect();
  transport::stream_options options;
  options.name = in.stream();
  options.topics.push_back(in.topic(">"));
  options.in_memory = true;
  options.max_age = duration::max();
  options.duplicate_window = duration::max();
  co_await mine->ensure_stream(std::move(options));
  (void)co_await store(in, mine, "a", "1");
  (void)co_await store(in, mine, "a", "2");
  const transport::stored again = co_await store(in, mine, "a", "1");
  expect(again.duplicate, "ids are remembered for ever");
  transport::pull_options which = from_stream(in);
  which.ack_wait = duration::max();
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(which, got);
  source->ask(10);
  const auto first = co_await got->next(in.deadline());
  const auto second = co_await got->next(in.deadline());
  expect(second->nak(duration::max()), "a delivered message can get a nak");
  // A short `ack_wait` would have ended by the time that this message arrives.
  (void)co_await store(in, mine, "a", "3");
  const auto third = co_await got->next(in.deadline());
  expect(third->message.payload == "3" && got->came() == 3, "an infinite ack_wait does not end");
  expect(first->ack() && third->ack(), "a late settlement is accepted");
}

asio::awaitable<void> away_redelivers(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto got = std::make_shared<collector>();
  const auto elsewhere = std::make_shared<collector>();
  const auto source = co_await mine->pull(which, got);
  const auto next = co_await other->pull(which, elsewhere);
  source->ask(1);
  const auto first = co_await got->next(in.deadline());
  co_await in.cut(*mine);
  next->ask(1);
  const auto again = co_await elsewhere->next(in.deadline());
  expect(again->times == 2, "unsettled messages of a connection that is away go to others");
  expect(again->ack(), "another connection settles it");
  co_await in.restore(*mine);
}

}  // namespace

void add_lifetime_cases(cases& to) {
  to.push_back({"a closed connection refuses", anything, closed_refuses});
  to.push_back({"a closed connection refuses streams", durable, closed_refuses_streams});
  to.push_back({"closing sends pending messages", anything, close_sends});
  to.push_back({"the destructor closes", durable, destructor_closes});
  to.push_back({"closing ends sources, with a reason", durable, sources_end});
  to.push_back({"closing ends feeds", anything, closed_feeds});
  to.push_back({"awaitables resume on their caller's executor", anything, callers_executor});
  to.push_back({"messages that are published while away are sent later", away, kept_while_away});
  to.push_back({"subscriptions come back with their connection", away, subscriptions_come_back});
  to.push_back({"a flush while away ends in time", away, away_times_out});
  to.push_back({"a store waits for its connection", durable_and_away, store_waits});
  to.push_back({"closing ends waits", away, close_ends_waits});
  to.push_back({"cancelling ends waits", away, cancel_ends_waits});
  to.push_back({"waits without an end do not end by themselves", durable_and_away, endless_waits});
  to.push_back({"an infinite ack_wait does not end", durable, endless_patience});
  to.push_back({"messages of a connection that is away are redelivered after ack_wait",
                durable_and_away, away_redelivers});
}

}  // namespace msgbus::testing::conformance
