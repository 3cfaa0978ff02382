// Commands from other processes: transport -> inbox -> a coroutine each, at most `concurrency` at
// once -> operation -> answer.

#include <msgbus/bridge/detail/served.hpp>

#include <msgbus/bridge/detail/discovery.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/core/topic.hpp>
#include <msgbus/exec/async_semaphore.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/transport/inbox.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus::bridging {

namespace {

class served_link final : public link_base, public std::enable_shared_from_this<served_link> {
 public:
  served_link(std::shared_ptr<hub> over, std::string called, std::string prefix,
              const serve_options& how)
      : link_base(std::move(over), std::move(called)),
        prefix_(std::move(prefix)),
        how_(how),
        inbox_(how.buffer),
        permits_(std::max<std::size_t>(how.concurrency, 1)) {
    about_.name = how.name.empty() ? service_name(prefix_) : how.name;
    about_.id = hub_->ids.next();
    about_.version = how.version;
    about_.description = how.description;
    about_.started = std::chrono::system_clock::now();
  }
  ~served_link() override { served_link::cancel(); }

  void start(std::vector<served_operation> operations) {
    for (served_operation& each : operations) {
      auto made = std::make_shared<endpoint>(*this, std::move(each), prefix_, how_.queue_group);
      endpoints_.push_back(made);
    }
    for (const auto& each : endpoints_) {
      feeds_.push_back(
          hub_->wire->subscribe(each->topic, how_.queue_group, sink_of(shared_from_this(), each)));
    }
    for (const auto verb : {discovery_verb::ping, discovery_verb::info, discovery_verb::stats}) {
      for (const std::string& each : discovery_topics(verb, about_.name, about_.id)) {
        feeds_.push_back(hub_->wire->subscribe(
            each, {}, std::make_shared<discovery_sink>(shared_from_this(), verb)));
      }
    }
    launch(hub_, hub_->executor(), name(), pump(shared_from_this()));
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    inbox_.close();
    for (const auto& each : feeds_) each->stop();
  }

  [[nodiscard]] link_counters stats() const noexcept override {
    link_counters all;
    all.received = read_count(received_);
    for (const auto& each : endpoints_) {
      const endpoint_stats now = each->now();
      all.answered += now.requests;
      all.errors += now.errors;
    }
    all.unsent = read_count(unsent_);
    for (const auto& each : feeds_) all.dropped += each->dropped();
    all.in_flight = all.received - all.answered;
    return all;
  }

 private:
  struct endpoint {
    endpoint(served_link&, served_operation what, const std::string& prefix, std::string in_group)
        : operation(std::move(what)),
          topic(prefix + "." + operation.name),
          group(std::move(in_group)) {
      check_topic(topic);
    }
    void ended(std::chrono::nanoseconds took, const std::string& error_text) {
      const std::lock_guard lock(mutex);
      ++stats.requests;
      stats.processing += took;
      if (error_text.empty()) return;
      ++stats.errors;
      stats.last_error = error_text;
    }
    [[nodiscard]] endpoint_stats now() const {
      const std::lock_guard lock(mutex);
      return stats;
    }

    const served_operation operation;
    const std::string topic;
    const std::string group;
    mutable std::mutex mutex;
    endpoint_stats stats;
  };

  struct command {
    std::shared_ptr<endpoint> at;
    envelope message;
  };

  /// What comes to one endpoint.
  class endpoint_sink final : public transport::sink {
   public:
    endpoint_sink(std::shared_ptr<served_link> of, std::shared_ptr<endpoint> at)
        : of_(std::move(of)), at_(std::move(at)) {}
    bool take(envelope&& message, bool may_wait) noexcept override {
      return of_->inbox_.put(command{at_, std::move(message)}, may_wait);
    }
    void ended(const std::exception_ptr& why) noexcept override {
      of_->hub_->failed(of_->name(), why);
    }

   private:
    const std::shared_ptr<served_link> of_;
    const std::shared_ptr<endpoint> at_;
  };
  static std::shared_ptr<transport::sink> sink_of(std::shared_ptr<served_link> of,
                                                  std::shared_ptr<endpoint> at) {
    return std::make_shared<endpoint_sink>(std::move(of), std::move(at));
  }

  /// Answers where it is asked: it is quick.
  class discovery_sink final : public transport::sink {
   public:
    discovery_sink(std::shared_ptr<served_link> of, discovery_verb verb)
        : of_(std::move(of)), verb_(verb) {}
    bool take(envelope&& message, bool) noexcept override {
      if (message.reply_to.empty()) return true;
      const auto described = [&] {
        return envelope{.topic = message.reply_to,
                        .payload = discovery_answer(verb_, of_->described())};
      };
      of_->reply(message.reply_to, "what discovery asked for", nullptr, described);
      return true;
    }
    void ended(const std::exception_ptr& why) noexcept override {
      of_->hub_->failed(of_->name(), why);
    }

   private:
    const std::shared_ptr<served_link> of_;
    const discovery_verb verb_;
  };

  [[nodiscard]] service_info described() const {
    service_info all = about_;
    for (const auto& each : endpoints_) {
      all.endpoints.push_back({each->operation.name, each->topic, each->group, each->now()});
    }
    return all;
  }

  static asio::awaitable<void> pump(std::shared_ptr<served_link> self) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const transport::inbox<command>::taker taking(self->inbox_);
    const exec::wait_group::task pumping(self->hub_->busy);
    for (;;) {
      std::vector<command> batch = co_await self->inbox_.take();
      if (batch.empty()) co_return;
      for (command& each : batch) {
        if (!self->permits_.try_acquire()) co_await self->permits_.acquire();
        add(self->received_);
        shared_origin origin = origin_of(self->hub_->ids, std::move(each.message.headers), 1);
        const cause_scope cause(&origin);
        // Its executor tells whatever it sends what caused it.
        launch(self->hub_, exec::child_executor(here, self->hub_->executor(), false), self->name(),
               answer(self, std::move(each), origin));
      }
    }
  }

  /// A permit in use. Lanes do not keep their context running.
  struct held_permit {
    std::shared_ptr<served_link> of;
    asio::any_io_executor work;
    ~held_permit() { of->permits_.release(); }
  };

  static asio::awaitable<void> answer(std::shared_ptr<served_link> self, command asked,
                                      shared_origin origin) {
    const held_permit mine{self, exec::work_on(self->hub_->executor())};
    const exec::wait_group::task answering(self->hub_->busy);
    const auto began = std::chrono::steady_clock::now();
    const std::string reply_to = std::move(asked.message.reply_to);
    payload result;
    std::exception_ptr failure;
    try {
      request what;
      what.bytes = std::move(asked.message.payload);
      what.content_type = header_of(origin->headers, header::content_type);
      what.origin = origin;
      auto running = asked.at->operation.run(std::move(what));
      result = co_await std::move(running);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began;
    if (!reply_to.empty()) {
      const auto answered = [&] {
        envelope out = stamped(self->hub_->ids, reply_to, std::move(result), {},
                               context::caused_by(origin.get()));
        if (failure) write_error(out, failure);
        return out;
      };
      const std::string what = "the result of operation '" + asked.at->operation.name + "'";
      failure = self->reply(reply_to, what, failure, answered);
    } else if (failure) {
      self->hub_->failed(self->name(), failure);
    }
    asked.at->ended(took, failure ? in_one_line(describe(failure)) : std::string());
  }

  /// Sends what `make` makes. Whoever asks gets an answer: if this one cannot be sent, the reason.
  /// Gives the failure that the asker is told of, if any.
  template <class Make>
  std::exception_ptr reply(const std::string& to, const std::string& what,
                           const std::exception_ptr& failure, const Make& make) noexcept {
    try {
      hub_->wire->publish(make(), transport::urgency::at_once);
      return failure;
    } catch (...) {
      return reply_with_error(to, what, failure, std::current_exception());
    }
  }

  // In fewer words if need be: not even the error may be too large, or have a header that cannot be
  // sent.
  std::exception_ptr reply_with_error(const std::string& to, const std::string& what,
                                      std::exception_ptr failure,
                                      const std::exception_ptr& why) noexcept {
    add(unsent_);
    try {
      const std::exception_ptr refused = unsendable(what, why);
      hub_->failed(name(), refused);
      if (!failure) failure = refused;
      envelope out{.topic = to};
      try {
        write_error(out, failure);
        hub_->wire->publish(out, transport::urgency::at_once);
      } catch (...) {
        write_short_error(out, failure);
        hub_->wire->publish(out, transport::urgency::at_once);
      }
    } catch (...) {
      hub_->failed(name(), std::current_exception());
    }
    return failure ? failure : why;
  }

  const std::string prefix_;
  const serve_options how_;
  service_info about_;
  std::vector<std::shared_ptr<endpoint>> endpoints_;
  transport::inbox<command> inbox_;
  exec::async_semaphore permits_;  // of commands that may run
  std::vector<std::unique_ptr<transport::feed>> feeds_;
  count received_{0};
  count unsent_{0};
};

}  // namespace

std::shared_ptr<link_base> join_served(std::shared_ptr<hub> over, std::string prefix,
                                       std::vector<served_operation> operations,
                                       const serve_options& how) {
  check_topic(prefix);
  if (!how.name.empty() && !is_service_name(how.name)) {
    throw error(errc::invalid_topic, "'" + how.name +
                                         "' is no name for a service: it has letters, digits, '-' "
                                         "and '_' only");
  }
  std::string name = "service '" + prefix + "'";
  auto made =
      std::make_shared<served_link>(std::move(over), std::move(name), std::move(prefix), how);
  made->start(std::move(operations));
  return made;
}

}  // namespace msgbus::bridging
