// Links that bring messages in, at most once: transport -> decoded -> mailbox.

#include <msgbus/bridge/options.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/bridge/link_base.hpp>

#include "transport/receive_queue.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::bridging {

asio::awaitable<drain_report> link_base::drain(std::chrono::steady_clock::duration) {
  drain_report nothing;
  co_return nothing;
}

namespace {

// A message is decoded and put into the component's mailbox by the transport's thread. If the
// mailbox is full, the message waits in the link's buffer, and a coroutine puts it in.
//
// Order: one subscription's messages come one call of `take` at a time, and a message must not
// overtake an earlier one. `waiting_` counts the messages of the buffer, and of the coroutine's
// batch. It is raised before a message enters the buffer, and lowered after the message has left
// for the mailbox. So a call that reads zero knows that all of its subscription's earlier messages
// are in the mailbox, and may put its own in directly. The subscriptions of one link have no order
// among themselves.
class inbound_link final : public link_base,
                           public transport::sink,
                           public std::enable_shared_from_this<inbound_link> {
 public:
  inbound_link(std::shared_ptr<hub> over, std::string called, receiving_end to, std::size_t buffer)
      : link_base(std::move(over), std::move(called)), to_(std::move(to)), buffer_(buffer) {}
  ~inbound_link() override { inbound_link::cancel(); }

  void start(const std::vector<std::string>& patterns) {
    messages = {patterns, types_of(to_.decoders)};
    for (const std::string& each : patterns) {
      feeds_.push_back(hub_->wire->subscribe(each, group, shared_from_this()));
    }
    launch(hub_, hub_->executor(), name(), pump(shared_from_this()));
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    buffer_.close();  // first: a transport's thread may be waiting in it
    for (const auto& each : feeds_) each->stop();
  }

  [[nodiscard]] link_counters stats() const noexcept override {
    link_counters all;
    all.received = read_count(received_);
    all.admitted = read_count(admitted_);
    all.undecodable = read_count(undecodable_);
    all.refused = read_count(refused_);
    all.waiting = waiting_.load(std::memory_order_relaxed);
    for (const auto& each : feeds_) all.dropped += each->dropped();
    return all;
  }

  void add_to(msgbus::detail::graph_builder& to, const void* over) const override {
    describe_inbound(to, over, "inbound, at most once", *to_.component);
  }

  bool take(envelope&& message, bool may_wait) noexcept override {
    if (!active()) return false;
    exec::shared_message made = decoded(message);
    if (!made) {
      add(received_);
      return true;
    }
    if (waiting_.load(std::memory_order_acquire) == 0) {
      exec::send_operation out(made);
      async::detail::component_core& to = *to_.component;
      const exec::put result = async::detail::offer_only(to, out);
      if (result != exec::put::full || !async::detail::waits_when_full(to)) {
        add(received_);
        ended_with(async::detail::receipt_for(result, to, out));
        if (to.closed()) end();
        return true;
      }
    }
    // Start the loops for the messages in the mailbox here: `caught_up` comes later, and the thread
    // may have to wait here until a loop has made space.
    to_.component->mailbox.start_loops();
    waiting_.fetch_add(1, std::memory_order_relaxed);
    if (buffer_.put(std::move(made), may_wait)) {
      add(received_);
      return true;
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  void caught_up() noexcept override { to_.component->mailbox.start_loops(); }

  void ended(const std::exception_ptr& why) noexcept override {
    if (!active()) return;
    hub_->failed(name(), why);
    end();
  }

 private:
  // For a thread of the transport: the coroutine stops the subscriptions.
  void end() noexcept {
    if (deactivate()) buffer_.close();
  }

  void ended_with(const receipt& given) noexcept {
    add(given.rejected == 0 ? admitted_ : refused_);
  }

  static asio::awaitable<void> pump(std::shared_ptr<inbound_link> self) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const transport::receive_queue<exec::shared_message>::taker taking(self->buffer_);
    const exec::wait_group::task pumping(self->hub_->busy);
    for (;;) {
      std::vector<exec::shared_message> batch = co_await self->buffer_.take();
      if (batch.empty()) {
        for (const auto& each : self->feeds_) each->stop();
        co_return;
      }
      for (exec::shared_message& each : batch) {
        exec::send_operation out(std::move(each));
        self->ended_with(co_await async::detail::send_to(*self->to_.component, out, here));
        self->waiting_.fetch_sub(1, std::memory_order_release);
      }
      if (self->to_.component->closed()) self->cancel();
    }
  }

  exec::shared_message decoded(envelope& from) noexcept {
    try {
      shared_origin origin = origin_of(hub_->ids, std::move(from.headers), 1);
      const std::string_view topic = to_.with_topic ? from.topic : std::string_view();
      return read(to_.decoders, {from, topic, std::move(origin), nullptr});
    } catch (...) {
      add(undecodable_);
      hub_->failed(name(), std::current_exception());
      return nullptr;
    }
  }

  const receiving_end to_;
  transport::receive_queue<exec::shared_message>
      buffer_;  // of messages that found the mailbox full
  std::atomic<std::size_t> waiting_{0};
  std::vector<std::unique_ptr<transport::feed>> feeds_;
  count received_{0};
  count admitted_{0};
  count undecodable_{0};
  count refused_{0};
};

}  // namespace

std::shared_ptr<link_base> join_inbound(std::shared_ptr<hub> over, receiving_end to,
                                        const std::vector<std::string>& patterns,
                                        const inbound_options& options) {
  std::string name = "inbound";
  for (const std::string& each : patterns) name += " " + each;
  if (!options.queue_group.empty()) name += " (group " + options.queue_group + ")";
  auto made = std::make_shared<inbound_link>(std::move(over), std::move(name), std::move(to),
                                             options.buffer);
  made->group = options.queue_group;
  made->start(patterns);
  return made;
}

}  // namespace msgbus::bridging
