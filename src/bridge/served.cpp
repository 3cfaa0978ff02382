// Commands from other processes: transport -> admission -> the executor of the operation's service,
// where it is decoded, carried out and answered. The threads are described in
// docs/design/0019-served-commands.md.

#include <msgbus/detail/bridge/served.hpp>

#include <msgbus/bridge/options.hpp>
#include <msgbus/detail/bridge/decode.hpp>
#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/bridge/shared_blocks.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/topic.hpp>

#include "bridge/admission.hpp"
#include "bridge/discovery.hpp"
#include "bridge/served_endpoint.hpp"
#include "observe/graph_builder.hpp"

#include <asio/co_spawn.hpp>

namespace msgbus::bridging {

namespace {

class served_link final : public link_base, public std::enable_shared_from_this<served_link> {
 public:
  served_link(std::shared_ptr<hub> over, std::string called, std::string prefix,
              const serve_options& options)
      : link_base(std::move(over), std::move(called)),
        prefix_(std::move(prefix)),
        options_(options),
        admission_(options.concurrency, options.buffer) {
    info_.name = options.name.empty() ? service_name(prefix_) : options.name;
    info_.id = hub_->ids.next();
    info_.version = options.version;
    info_.description = options.description;
    info_.started = std::chrono::system_clock::now();
  }
  ~served_link() override { served_link::cancel(); }

  void start(served_operations operations) {
    group = options_.queue_group;
    for (auto& each : operations) {
      endpoints_.push_back(
          std::make_unique<served_endpoint>(std::move(each), prefix_, options_.queue_group));
      messages.topics.push_back(endpoints_.back()->topic);
    }
    for (const auto& each : endpoints_) {
      auto sink = std::make_shared<endpoint_sink>(shared_from_this(), *each);
      feeds_.push_back(hub_->wire->subscribe(each->topic, options_.queue_group, std::move(sink)));
    }
    for (const auto verb : {discovery_verb::ping, discovery_verb::info, discovery_verb::stats}) {
      for (const std::string& each : discovery_topics(verb, info_.name, info_.id)) {
        feeds_.push_back(hub_->wire->subscribe(
            each, {}, std::make_shared<discovery_sink>(shared_from_this(), verb)));
      }
    }
    launch(hub_, hub_->executor(), name(), stay(closing{shared_from_this()}));
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    admission_.close();
    cancelled_.set();
    for (const auto& each : feeds_) each->stop();
  }

  void add_to(msgbus::detail::graph_builder& to, const void* over) const override {
    std::vector<graph::channel> all;
    for (const auto& each : endpoints_) {
      describe_inbound(to, over, "serves commands", *each->operation->service);
      graph::channel& commands = all.emplace_back();
      commands.topic = each->topic;
      commands.calls = true;
      commands.messages = {
          {each->operation->name, std::string(msgbus::detail::content_type_of(encoding::json))}};
      commands.replies = {each->operation->described_result()};
    }
    to.component(this, "link").channels = std::move(all);
  }

  [[nodiscard]] link_counters stats() const noexcept override {
    link_counters all;
    for (const auto& each : endpoints_) {
      const endpoint_stats now = each->now();
      all.answered += now.requests;
      all.errors += now.errors;
    }
    all.unsent = read_count(unsent_);
    for (const auto& each : feeds_) all.dropped += each->dropped();
    all.received = admission_.taken();  // after the answers: never fewer
    all.in_flight = all.received - all.answered;
    return all;
  }

 private:
  /// A command from its admission to its answer. Its end lets the next one run, also where its
  /// context has destroyed it.
  struct command : in_shared_block {
    command(std::shared_ptr<served_link> link, served_endpoint& asked_there, envelope&& received)
        : of(std::move(link)),
          at(asked_there),
          headers(std::move(received.headers)),
          payload(std::move(received.payload)),
          reply_to(received.reply_to),
          busy(of->hub_->busy),
          deadline(at.deadline_of(headers)) {}
    command(const command&) = delete;
    command& operator=(const command&) = delete;
    ~command() {
      if (runs) of->one_ended();
    }

    const std::shared_ptr<served_link> of;
    served_endpoint& at;
    msgbus::headers headers;
    std::string payload;
    const received_topic reply_to;  // a copy: the transport uses the memory of its own again
    const exec::wait_group::task busy;
    const std::optional<exec::clock::time_point> deadline;  // of its caller
    bool runs = false;  // admitted, and not only waiting for that
    std::chrono::steady_clock::time_point began;
    shared_origin origin;
    async::detail::command_ptr asked;
    exec::wake_memory memory;  // for the post
  };
  using command_owner = std::unique_ptr<command>;

  /// A command as it is posted.
  struct start_of_command {
    void operator()() {
      command& one = *mine;
      one.of->carry_out(std::move(mine));
    }
    using allocator_type = exec::wake_allocator<void>;
    [[nodiscard]] allocator_type get_allocator() const noexcept {
      return allocator_type(mine->memory);
    }
    command_owner mine;
  };

  /// Receives the requests of one endpoint.
  class endpoint_sink final : public transport::sink {
   public:
    endpoint_sink(std::shared_ptr<served_link> of, served_endpoint& at)
        : of_(std::move(of)), at_(at) {}
    bool take(envelope&& message, bool may_wait) noexcept override {
      return of_->take(at_, std::move(message), may_wait);
    }
    void ended(const std::exception_ptr& why) noexcept override {
      of_->hub_->failed(of_->name(), why);
    }

   private:
    const std::shared_ptr<served_link> of_;
    served_endpoint& at_;
  };

  /// Answers where it is asked: it is quick.
  class discovery_sink final : public transport::sink {
   public:
    discovery_sink(std::shared_ptr<served_link> of, discovery_verb verb)
        : of_(std::move(of)), verb_(verb) {}
    bool take(envelope&& message, bool) noexcept override {
      if (message.reply_to.empty()) return true;
      const auto write = [&](envelope& into) {
        into.headers.clear();
        into.payload = discovery_answer(verb_, of_->described());
      };
      const auto asked_for = [] { return std::string("the reply to a discovery request"); };
      of_->reply(message.reply_to, nullptr, write, asked_for);
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
    service_info all = info_;
    for (const auto& each : endpoints_) {
      all.endpoints.push_back({each->operation->name, each->topic, each->group, each->now()});
    }
    return all;
  }

  /// Cancels the link when the context of the bridge is destroyed (A12).
  struct closing {
    explicit closing(std::shared_ptr<served_link> closed) noexcept : of(std::move(closed)) {}
    closing(closing&&) noexcept = default;
    ~closing() {
      if (of) of->cancel();
    }
    std::shared_ptr<served_link> of;
  };
  /// A link that takes commands keeps the context of its bridge running.
  static asio::awaitable<void> stay(closing self) { co_await self.of->cancelled_.wait(); }

  bool take(served_endpoint& at, envelope&& message, bool may_wait) noexcept {
    using verdict = admission<command_owner>::verdict;
    static_assert(sizeof(command) <= shared_block_bytes);
    auto received = std::make_unique<command>(shared_from_this(), at, std::move(message));
    const verdict taken = admission_.offer(received, may_wait);
    if (taken == verdict::runs) start(std::move(received));
    return taken != verdict::refused;
  }

  /// On any thread. Where the context of the service has ended, one after the other is answered.
  void start(command_owner next) noexcept {
    while (next) {
      next->runs = true;
      next->began = std::chrono::steady_clock::now();
      start_of_command posted{std::move(next)};
      if (posted.mine->at.post(posted)) return;
      command& one = *posted.mine;
      std::exception_ptr failure;
      try {
        one.at.operation->service->throw_closed({one.at.operation->name, {}});
      } catch (...) {
        failure = std::current_exception();
      }
      answer(one, failure);
      one.runs = false;  // so its end starts no other one
      if (auto more = admission_.ended()) next = std::move(*more);
    }
  }

  void one_ended() noexcept {
    if (auto next = admission_.ended()) start(std::move(*next));
  }

  /// Where the service runs.
  void carry_out(command_owner mine) {
    command& one = *mine;
    one.began = std::chrono::steady_clock::now();
    asio::awaitable<void> rest;
    bool has_ended = true;
    std::exception_ptr failure;
    try {
      check_in_time(one);
      one.origin = origin_of(hub_->ids, std::move(one.headers), 1);
      one.asked = one.at.operation->read(one.payload, one.origin);
      one.asked->encoder = one.at.operation;
      if (one.deadline) one.asked->ctx = one.asked->ctx.until(*one.deadline);
      has_ended = async::detail::begin_command(one.asked, rest);
      if (has_ended) failure = async::detail::failure_of(*one.asked);
    } catch (...) {
      failure = std::current_exception();
    }
    if (has_ended) {
      answer(one, failure);
    } else {
      go_on(std::move(mine), std::move(rest));
    }
  }

  /// Throws `timed_out` if the caller waits no longer. Nothing is done for it then.
  static void check_in_time(const command& one) {
    const served_operation& asked = *one.at.operation;
    if (!one.deadline || exec::now(asked.service->executor()) < *one.deadline) return;
    throw error(errc::timed_out,
                "operation '" + asked.name + "' had not begun at the deadline of its caller");
  }

  /// In a coroutine on an executor that keeps the cause of its messages.
  void go_on(command_owner mine, asio::awaitable<void> rest) {
    const asio::any_io_executor& here = mine->at.operation->service->executor();
    const cause_scope cause(&mine->origin);
    const asio::any_io_executor on = exec::child_executor(here, here, false);
    // Consumer loops do not keep their context running.
    auto ended = [mine = std::move(mine), work = exec::work_on(here)](std::exception_ptr failure) {
      if (!failure) failure = async::detail::failure_of(*mine->asked);
      mine->of->answer(*mine, failure);
    };
    asio::co_spawn(on, std::move(rest), std::move(ended));
  }

  void answer(const command& one, std::exception_ptr failure) noexcept {
    const served_operation& operation = *one.at.operation;
    msgbus::detail::encoded result;
    if (!failure) {
      try {
        result = operation.answer(*one.asked);
      } catch (...) {
        failure = std::current_exception();
      }
    }
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - one.began;
    if (!one.reply_to.empty()) {
      const auto write = [&](envelope& into) {
        write_answer(into, one, std::move(result));
        if (failure) write_error(into, failure);
      };
      const auto described = [&] { return "the result of operation '" + operation.name + "'"; };
      failure = reply(one.reply_to, failure, write, described);
    } else if (failure) {
      hub_->failed(name(), failure);
    }
    one.at.ended(took, failure ? in_one_line(describe(failure)) : std::string());
  }

  void write_answer(envelope& into, const command& one, msgbus::detail::encoded result) const {
    const context ctx = context::caused_by(one.origin.get());
    // CloudEvents need a type.
    const bool has_type = options_.form == header_form::cloudevents;
    const std::string type = has_type ? one.at.topic + ".reply" : std::string();
    make_envelope(into, hub_->ids, one.reply_to, std::move(result),
                  {.type = type, .ctx = ctx, .form = options_.form, .source = options_.source});
  }

  /// Sends the reply that `write` makes; `description` names it. If it cannot be sent, the caller
  /// gets the reason instead. Returns the failure that the caller gets; null: none.
  template <class Write, class What>
  std::exception_ptr reply(std::string_view to, const std::exception_ptr& failure,
                           const Write& write, const What& description) noexcept {
    try {
      reused_envelope out;
      out.get().topic = to;
      out.get().reply_to.clear();
      write(out.get());
      hub_->wire->publish(out.get(), transport::urgency::at_once);
      return failure;
    } catch (...) {
      return reply_with_error(to, description(), failure, std::current_exception());
    }
  }

  // In fewer words if need be: not even the error may be too large, or have a header that cannot be
  // sent.
  std::exception_ptr reply_with_error(std::string_view to, const std::string& text,
                                      std::exception_ptr failure,
                                      const std::exception_ptr& why) noexcept {
    add(unsent_);
    try {
      const std::exception_ptr refused = unsendable(text, why);
      hub_->failed(name(), refused);
      if (!failure) failure = refused;
      envelope out{.topic = std::string(to)};
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
  const serve_options options_;
  service_info info_;
  std::vector<std::unique_ptr<served_endpoint>> endpoints_;
  admission<command_owner> admission_;
  exec::one_shot_event cancelled_;
  std::vector<std::unique_ptr<transport::feed>> feeds_;
  count unsent_{0};
};

}  // namespace

void check_is_operation(bool is_one) {
  if (is_one) return;
  throw error(errc::no_handler,
              "an empty operation cannot be served; assign it from service.handler(...)");
}

std::shared_ptr<link_base> join_served(std::shared_ptr<hub> over, std::string prefix,
                                       served_operations operations, const serve_options& options) {
  check_topic(prefix);
  if (!options.name.empty() && !is_service_name(options.name)) {
    throw error(errc::invalid_topic, "'" + options.name +
                                         "' is not a valid service name; use letters, digits, '-' "
                                         "and '_'");
  }
  std::string name = "service '" + prefix + "'";
  auto made =
      std::make_shared<served_link>(std::move(over), std::move(name), std::move(prefix), options);
  made->start(std::move(operations));
  return made;
}

}  // namespace msgbus::bridging
