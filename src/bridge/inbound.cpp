// Links that bring messages in, at most once: transport -> inbox -> decoded -> mailbox.

#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/bridge/detail/link_base.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/transport/inbox.hpp>

#include <asio/this_coro.hpp>

namespace msgbus::bridging {

asio::awaitable<drain_report> link_base::drain(std::chrono::steady_clock::duration) {
  drain_report nothing;
  co_return nothing;
}

namespace {

class inbound_link final : public link_base,
                           public transport::sink,
                           public std::enable_shared_from_this<inbound_link> {
 public:
  inbound_link(std::shared_ptr<hub> over, std::string called, receiving_end to, std::size_t buffer)
      : link_base(std::move(over), std::move(called)), to_(std::move(to)), inbox_(buffer) {}
  ~inbound_link() override { inbound_link::cancel(); }

  void start(const std::vector<std::string>& patterns, const std::string& group) {
    for (const std::string& each : patterns) {
      feeds_.push_back(hub_->wire->subscribe(each, group, shared_from_this()));
    }
    launch(hub_, hub_->executor(), name(), pump(shared_from_this()));
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    inbox_.close();  // first: a transport's thread may be waiting in it
    for (const auto& each : feeds_) each->stop();
  }

  [[nodiscard]] link_counters stats() const noexcept override {
    link_counters all;
    all.received = read_count(received_);
    all.admitted = read_count(admitted_);
    all.undecodable = read_count(undecodable_);
    all.refused = read_count(refused_);
    for (const auto& each : feeds_) all.dropped += each->dropped();
    return all;
  }

  bool take(envelope&& message, bool may_wait) noexcept override {
    return inbox_.put(std::move(message), may_wait);
  }

  void ended(const std::exception_ptr& why) noexcept override {
    if (!deactivate()) return;
    hub_->failed(name(), why);
    inbox_.close();  // then the coroutine stops the other subscriptions
  }

 private:
  static asio::awaitable<void> pump(std::shared_ptr<inbound_link> self) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const transport::inbox<envelope>::taker taking(self->inbox_);
    const exec::wait_group::task pumping(self->hub_->busy);
    for (;;) {
      std::vector<envelope> batch = co_await self->inbox_.take();
      if (batch.empty()) {
        for (const auto& each : self->feeds_) each->stop();
        co_return;
      }
      for (envelope& each : batch) {
        add(self->received_);
        const exec::shared_message message = self->decoded(each);
        if (!message) continue;
        exec::send_operation out(message);
        const receipt given = co_await async::detail::send_to(*self->to_.component, out, here);
        add(given.rejected == 0 ? self->admitted_ : self->refused_);
      }
      if (self->to_.component->closed()) self->cancel();
    }
  }

  exec::shared_message decoded(envelope& from) noexcept {
    try {
      shared_origin origin = origin_of(hub_->ids, std::move(from.headers), 1);
      std::string topic = to_.with_topic ? from.topic : std::string();
      return read(to_.readers, {from, std::move(topic), std::move(origin), nullptr});
    } catch (...) {
      add(undecodable_);
      hub_->failed(name(), std::current_exception());
      return nullptr;
    }
  }

  const receiving_end to_;
  transport::inbox<envelope> inbox_;
  std::vector<std::unique_ptr<transport::feed>> feeds_;
  count received_{0};
  count admitted_{0};
  count undecodable_{0};
  count refused_{0};
};

}  // namespace

std::shared_ptr<link_base> join_inbound(std::shared_ptr<hub> over, receiving_end to,
                                        const std::vector<std::string>& patterns,
                                        const inbound_options& how) {
  std::string name = "inbound";
  for (const std::string& each : patterns) name += " " + each;
  if (!how.queue_group.empty()) name += " (group " + how.queue_group + ")";
  auto made =
      std::make_shared<inbound_link>(std::move(over), std::move(name), std::move(to), how.buffer);
  made->start(patterns, how.queue_group);
  return made;
}

}  // namespace msgbus::bridging
