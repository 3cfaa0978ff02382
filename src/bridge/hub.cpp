#include <msgbus/bridge/detail/hub.hpp>

#include <msgbus/core/error.hpp>
#include <msgbus/exec/one_shot_event.hpp>
#include <msgbus/exec/timer.hpp>

#include "core/say.hpp"

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include <optional>
#include <unordered_map>

namespace msgbus::bridging {

/// The requests of a connection that wait for their answers. Answers come to a topic of their own
/// below the connection's inbox.
class answers final : public transport::sink {
 public:
  struct end {
    errc code;
    std::string why;
  };
  /// One request. States: waiting -> answered, or waiting -> given up; decided under the lock.
  struct question {
    exec::one_shot_event over;
    std::optional<envelope> answer;
    std::optional<end> ended;  // no answer comes any more
  };

  explicit answers(std::string inbox) : inbox_(std::move(inbox)) {}

  [[nodiscard]] std::string pattern() const { return inbox_ + ".*"; }

  /// From now on the answer to the topic that this gives is waited for.
  std::string add(const std::shared_ptr<question>& asked) {
    const std::lock_guard lock(mutex_);
    const std::string key = std::to_string(++last_);
    if (ended_) {
      asked->ended = ended_;
      asked->over.set();
    } else {
      waiting_.emplace(key, asked);
    }
    return inbox_ + "." + key;
  }

  void remove(std::string_view topic) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(std::string(topic.substr(inbox_.size() + 1)));
  }

  bool take(envelope&& message, bool) noexcept override {
    std::shared_ptr<question> asked;
    {
      const std::lock_guard lock(mutex_);
      if (message.topic.size() <= inbox_.size()) return true;
      const auto found = waiting_.find(message.topic.substr(inbox_.size() + 1));
      if (found == waiting_.end()) return true;  // it came too late
      asked = std::move(found->second);
      waiting_.erase(found);
      asked->answer = std::move(message);
    }
    asked->over.set();
    return true;
  }

  // Their answers are lost, or will be; those that are asked from now on are sent later.
  void interrupted() noexcept override {
    end_waiting({errc::disconnected, "the connection was lost"}, false);
  }
  void ended(const std::exception_ptr& why) noexcept override {
    end_all({errc::transport_failed, describe(why)});
  }
  void end_all(const end& how) noexcept { end_waiting(how, true); }
  [[nodiscard]] bool has_ended() const {
    const std::lock_guard lock(mutex_);
    return ended_.has_value();
  }

  std::unique_ptr<transport::feed> feed;  // set before anybody else knows this

 private:
  void end_waiting(const end& how, bool for_good) noexcept {
    std::unordered_map<std::string, std::shared_ptr<question>> left;
    {
      const std::lock_guard lock(mutex_);
      if (for_good) ended_ = how;
      left.swap(waiting_);
      for (const auto& each : left) each.second->ended = how;
    }
    for (const auto& each : left) each.second->over.set();
  }

  const std::string inbox_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<question>> waiting_;
  std::uint64_t last_ = 0;
  std::optional<end> ended_;
};

hub::hub(std::shared_ptr<transport::transport> over, failure_listener on_failure)
    : wire(std::move(over)), on_failure_(std::move(on_failure)) {}

hub::~hub() { close(); }

void hub::failed(std::string_view where, const std::exception_ptr& what) const noexcept {
  if (!on_failure_) {
    detail::say({where, " failed, and no on_failure is told: "}, what);
    return;
  }
  try {
    on_failure_(where, what);
  } catch (...) {
    detail::say({where, " failed: "}, what);
    detail::say_thrown_by("an on_failure");
  }
}

std::shared_ptr<answers> hub::listen() {
  const std::lock_guard lock(mutex_);
  if (closed_) throw error(errc::closed, "the bridge is closed and sends no requests");
  if (!answers_ || answers_->has_ended()) {
    auto made = std::make_shared<answers>(wire->new_inbox());
    made->feed = wire->subscribe(made->pattern(), {}, made);
    answers_ = std::move(made);
  }
  return answers_;
}

void hub::close() noexcept {
  std::shared_ptr<answers> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left = std::move(answers_);
  }
  if (!left) return;
  left->feed->stop();
  left->end_all({errc::closed, "the bridge was closed"});
  left->feed.reset();  // it holds the answers
}

asio::awaitable<envelope> hub::ask(std::shared_ptr<hub> self, envelope request,
                                   std::chrono::steady_clock::duration timeout) {
  struct removal {
    std::shared_ptr<answers> from;
    std::string topic;
    ~removal() { from->remove(topic); }
  };
  const std::shared_ptr<answers> all = self->listen();
  auto asked = std::make_shared<answers::question>();
  request.reply_to = all->add(asked);
  const removal at_end{all, request.reply_to};
  self->wire->publish(request, transport::urgency::at_once);
  std::shared_ptr<exec::one_shot_event> over(asked, &asked->over);
  co_await exec::wait_for(std::move(over), timeout, "a request");
  all->remove(request.reply_to);  // from here on nobody else touches the question
  if (!asked->answer) {
    if (asked->ended) {
      throw error(asked->ended->code,
                  asked->ended->why + " while '" + request.topic + "' was asked");
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    throw error(errc::timed_out,
                "'" + request.topic + "' did not answer within " + std::to_string(ms) + " ms");
  }
  // A service may have a header of this name in an answer of its own.
  if (asked->answer->payload.empty() && header_of(*asked->answer, header::status) == "503") {
    throw error(errc::no_handler, "nobody serves '" + request.topic + "'");
  }
  envelope answer = std::move(*asked->answer);
  co_return answer;
}

void launch(std::shared_ptr<hub> on, const asio::any_io_executor& executor, std::string where,
            asio::awaitable<void> work) {
  if (!executor) return;  // its context has ended, and would destroy the work
  auto ended = [on = std::move(on), where = std::move(where)](const std::exception_ptr& failure) {
    if (failure) on->failed(where, failure);
  };
  // Never from inside this call: who launches may hold what the work waits for.
  asio::post(executor, [executor, work = std::move(work), ended = std::move(ended)]() mutable {
    asio::co_spawn(executor, std::move(work), std::move(ended));
  });
}

}  // namespace msgbus::bridging
