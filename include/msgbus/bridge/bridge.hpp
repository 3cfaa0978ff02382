#pragma once

/// Joins components to other processes, over a transport. Handlers and senders stay as they are.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/bridge/bridge_link.hpp>
#include <msgbus/bridge/dead_letters.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/bridge/hub.hpp>
#include <msgbus/detail/bridge/outbound.hpp>
#include <msgbus/detail/bridge/served.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus {

/// A connection with its links. Movable, not copyable. Thread-safe. The destructor cancels every
/// link and closes the connection; call `drain` first to lose nothing.
///
/// A link is active until it is cancelled, even if its handle is destroyed. The message types of a
/// link are named where it is made: other types do not cross, and a type without a codec does not
/// compile. Failures of a link are counted there, and reported to `bridge_options::on_failure`.
///
/// With g++ 12, name options on the line before a `co_await` (guide, chapter 9).
class bridge {
 public:
  /// A bridge over a connection. To connect over NATS, use `nats::connect`.
  explicit bridge(std::shared_ptr<transport::transport> over, bridge_options options = {});
  /// Leaves the other object empty: it may only be assigned to or destroyed.
  bridge(bridge&&) noexcept = default;
  /// Closes the previous connection.
  bridge& operator=(bridge&& other) noexcept;
  /// As `close`.
  ~bridge();

  // --- At most once. ---

  /// Sends the messages of these types that `from` publishes to matching topics (B1, B7). They pass
  /// through a mailbox: `publish` waits for the transport, `send` for the mailbox. A message that
  /// cannot be sent makes `publish` throw, or counts as a failure, as with any handler (A8). The
  /// link sends a message once: as its exact type, or else as the first type that it converts to
  /// (T5).
  ///
  /// Throws: `invalid_topic`; `closed`.
  template <class... Ms>
  bridge_link outbound(async::publisher& from, std::string_view pattern,
                       const outbound_options& options = {}) {
    static_assert(sizeof...(Ms) > 0, "msgbus: name the types: bridge.outbound<order>(...)");
    auto made = bridging::make_outbound<Ms...>(state_->hub, pattern, options.mailbox,
                                               {options.encoding, options.form, options.source});
    from.bind({made->component, std::source_location()});
    return keep(std::move(made));
  }

  /// Sends the events of these types that `from` dispatches. The topic of an event is its name
  /// after `<prefix>.`.
  ///
  /// Throws: `bad_arguments` if two event types of this bridge have the same topic but different
  /// names; `closed`.
  template <class... Es>
  bridge_link outbound(async::producer& from, const outbound_options& options = {}) {
    static_assert(sizeof...(Es) > 0, "msgbus: name the types: bridge.outbound<order_placed>(...)");
    auto made = bridging::make_outbound_events(state_->hub, options.prefix, options.mailbox,
                                               {options.encoding, options.form, options.source},
                                               detail::unique_list<Es...>{});
    from.bind({made->component, std::source_location()});
    return keep(std::move(made));
  }

  /// Receives messages on matching topics into the mailbox of the subscriber, decoded (B1). While
  /// the mailbox is full, the transport is held back as far as it supports that; then it drops
  /// messages, and `stats().dropped` counts them. A message of another type counts as undecodable.
  /// After a later `flush()` has completed, newly sent messages are received.
  ///
  /// Throws: `invalid_topic`; `bad_arguments` if two of the types have the same name; `closed`.
  template <class... Ms>
  bridge_link inbound(async::subscriber& to, std::string_view pattern,
                      const inbound_options& options = {}) {
    static_assert(sizeof...(Ms) > 0, "msgbus: name the types: bridge.inbound<order>(...)");
    detail::check_pattern(pattern);
    const std::vector<std::string> patterns{std::string(pattern)};
    return keep(bridging::join_inbound(state_->hub, end_of<Ms...>(to, true), patterns, options));
  }

  /// As above, for events, by their names.
  template <class... Es>
  bridge_link inbound(async::consumer& to, const inbound_options& options = {}) {
    static_assert(sizeof...(Es) > 0, "msgbus: name the types: bridge.inbound<order_placed>(...)");
    std::vector<bridging::event_type> types =
        bridging::event_types_of(options.prefix, detail::unique_list<Es...>{});
    auto made = bridging::join_inbound(state_->hub, end_of<Es...>(to, false),
                                       bridging::topics_of(types), options);
    made->events = std::move(types);
    return keep(std::move(made));
  }

  // --- Commands. ---

  /// Serves these operations to other processes, each on the topic `<prefix>.<name>`. A
  /// `remote_service` calls them.
  ///
  /// Throws: `invalid_topic`; `no_handler` if an operation is empty; `closed`.
  template <class... Signatures>
  bridge_link serve(std::string prefix, const async::operation<Signatures>&... operations) {
    return serve(std::move(prefix), serve_options{}, operations...);
  }

  /// As above, with options: they come second, before the operations.
  template <class... Signatures>
  bridge_link serve(std::string prefix, const serve_options& options,
                    const async::operation<Signatures>&... operations) {
    static_assert(sizeof...(Signatures) > 0, "msgbus: name the operations that are served");
    bridging::served_operations all{bridging::make_served(operations, options.encoding)...};
    return keep(bridging::join_served(state_->hub, std::move(prefix), std::move(all), options));
  }

  // --- At least once. ---

  /// Creates the stream that stores these topics, or adds the topics to it.
  ///
  /// Completes: when the stream exists.
  /// Throws: as the transport.
  /// Cancellation: ends the wait with Asio's `operation_aborted`; the stream may have been created.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> ensure_stream(transport::stream_options stream) {
    return state_->hub->wire->ensure_stream(std::move(stream));
  }

  /// Stores a message in the stream of its topic (B2). It retries until the timeout. The stream
  /// stores the message once, however often it was sent.
  ///
  /// Completes: when the stream has stored the message.
  /// Throws: `invalid_topic`, `encode_failed`; `bad_arguments` for a header that cannot be sent;
  /// `transport_failed` if no stream stores the topic; `timed_out`; `closed`. After a timeout the
  /// message may have been stored: with your own `message_id`, storing it again is safe.
  /// Cancellation: ends the wait with Asio's `operation_aborted`; the message may have been stored.
  /// Executor: the caller's.
  template <class M>
  [[nodiscard]] asio::awaitable<transport::stored> store(M message, std::string_view topic,
                                                         const store_options& options) {
    detail::check_topic(topic);
    detail::encoded made = detail::encode<M>(message, options.encoding);
    return store(std::string(topic), std::move(made), name_of<M>, options);
  }
  // An overload, because g++ 12 destroys awaited default arguments twice.

  /// As above, with default options.
  template <class M>
  [[nodiscard]] asio::awaitable<transport::stored> store(M message, std::string_view topic) {
    return store(std::move(message), topic, store_options{});
  }

  /// As `store`, for an event, on the topic `<prefix>.<name>`.
  template <class E>
  [[nodiscard]] asio::awaitable<transport::stored> store_event(E event,
                                                               const store_options& options) {
    return store(std::move(event), bridging::event_topic(options.prefix, name_of<E>), options);
  }

  /// As above, with default options.
  template <class E>
  [[nodiscard]] asio::awaitable<transport::stored> store_event(E event) {
    return store_event(std::move(event), store_options{});
  }

  /// Runs the subscriber's handlers for the messages of a stream (B2). A message is settled when
  /// all its handlers and clean-ups have ended. If none failed, it is acknowledged. If one failed,
  /// it is delivered again after a pause. After `max_deliver` failures, or if it cannot be decoded,
  /// it is dead-lettered (B3). The link takes only as many messages as the mailbox has space for;
  /// the stream keeps the rest (B4). A message may be delivered twice: compare
  /// `context::message_id`.
  ///
  /// Completes: with the link, when the durable consumer exists at the server.
  /// Throws: `invalid_topic`; `bad_arguments` if two of the types have the same name; `closed`; as
  /// the transport.
  /// Cancellation: ends the wait with Asio's `operation_aborted`; no link is made.
  /// Executor: the caller's.
  template <class... Ms>
  [[nodiscard]] asio::awaitable<bridge_link> durable(async::subscriber& to, std::string pattern,
                                                     durable_options options) {
    static_assert(sizeof...(Ms) > 0, "msgbus: name the types: bridge.durable<order>(...)");
    detail::check_pattern(pattern);
    return durable(state_, end_of<Ms...>(to, true), std::move(pattern), {}, std::move(options));
  }

  /// As above, for the events of one type.
  template <class E>
  [[nodiscard]] asio::awaitable<bridge_link> durable(async::consumer& to, durable_options options) {
    std::vector<bridging::event_type> types =
        bridging::event_types_of(options.prefix, detail::type_list<E>{});
    std::string topic = types.front().topic;
    return durable(state_, end_of<E>(to, false), std::move(topic), std::move(types),
                   std::move(options));
  }

  /// The dead letters in a stream: those that durable links have stored at topics of the stream
  /// (`durable_options::dead_letter`). `timeout` is the time that the replay of one may take.
  [[nodiscard]] bridge_dead_letters dead_letters(
      std::string stream,
      std::chrono::steady_clock::duration timeout = std::chrono::seconds(30)) const {
    return bridge_dead_letters(state_->hub, std::move(stream), timeout);
  }

  // --- The connection. ---

  /// Waits for the server.
  ///
  /// Completes: when the server has received every sent message and knows every link.
  /// Throws: `timed_out`; `closed`.
  /// Cancellation: ends the wait with Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> flush(
      std::chrono::steady_clock::duration timeout = std::chrono::seconds(5)) {
    return state_->hub->wire->flush(timeout);
  }

  /// The first half of `drain`: ends the intake, and waits for the received messages. Messages that
  /// handlers send still go out. The report covers the messages in flight when it began; abandoned
  /// messages of a stream are delivered again.
  ///
  /// Completes: when they are handled and settled, at the deadline at the latest.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: ends the wait.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<drain_report> drain_inbound(
      std::chrono::steady_clock::duration deadline) {
    return drain_inbound(state_, deadline, {});
  }

  /// The orderly end (B8): `drain_inbound`, then sends the remaining outbound messages, then closes
  /// the connection. The grace of `drain_options`, the last part of the time, is reserved for the
  /// outbound messages. If handlers send through other components, call `drain_inbound`, then drain
  /// those components, then call this.
  ///
  /// Completes: when the connection is closed, at the deadline at the latest.
  /// Throws: nothing else than `operation_aborted`.
  /// Cancellation: ends the wait.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline) {
    return drain(state_, deadline, {}, {});
  }

  /// As above, with options.
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline,
                                                    drain_options options) {
    return drain(state_, deadline, options, {});
  }

  /// Gives spans to a tracer: of messages that are sent or stored, of calls of remote services, and
  /// of settling. Received messages have spans if their component has a tracer. Replaces the
  /// previous tracer; null detaches it.
  void trace(std::shared_ptr<tracer> tracer) { state_->hub->trace(std::move(tracer)); }

  /// Cancels every link and closes the connection, without waiting.
  void close() noexcept;

  /// The active links of this bridge.
  [[nodiscard]] std::vector<bridge_link> links() const;

  /// The connection.
  [[nodiscard]] const std::shared_ptr<transport::transport>& transport() const noexcept {
    return state_->hub->wire;
  }

  /// The executor on which links call back.
  [[nodiscard]] asio::any_io_executor get_executor() const { return state_->hub->executor(); }

 private:
  friend class remote_service;
  friend async::detail::host_access;
  friend detail::describe_access;

  [[nodiscard]] detail::describer describer() const;
  [[nodiscard]] std::weak_ptr<const void> identity() const noexcept { return state_; }

  /// The bridge as a member of a host.
  class hosted_bridge;
  [[nodiscard]] std::shared_ptr<async::detail::host_member> hosted(std::string name) const;

  struct state {
    std::shared_ptr<bridging::hub> hub;
    mutable std::mutex mutex;
    std::vector<std::shared_ptr<bridging::link_base>> links;
    bool closed = false;
  };

  template <class... Ms, class Component>
  static bridging::receiving_end end_of(Component& to, bool with_topic) {
    return {component::core_access::of(to), bridging::decoders_of(detail::unique_list<Ms...>{}),
            with_topic};
  }

  bridge_link keep(std::shared_ptr<bridging::link_base> made) {
    return keep(*state_, std::move(made));
  }
  static bridge_link keep(state& in, std::shared_ptr<bridging::link_base> made);
  static void check_events(const state& in, const std::vector<bridging::event_type>& types);
  static void close(state& in) noexcept;
  static asio::awaitable<bridge_link> durable(std::shared_ptr<state> in, bridging::receiving_end to,
                                              std::string pattern,
                                              std::vector<bridging::event_type> events,
                                              durable_options options);
  asio::awaitable<transport::stored> store(std::string topic, detail::encoded made,
                                           std::string_view type, const store_options& options);
  /// The counters of the inbound links when a report began; empty: it begins with the call.
  using inbound_counters = std::vector<link_counters>;
  [[nodiscard]] static inbound_counters count_inbound(const state& in);
  static asio::awaitable<drain_report> drain_inbound(std::shared_ptr<state> all,
                                                     std::chrono::steady_clock::duration deadline,
                                                     inbound_counters before);
  static asio::awaitable<drain_report> drain(std::shared_ptr<state> all,
                                             std::chrono::steady_clock::duration deadline,
                                             drain_options options, inbound_counters before);

  std::shared_ptr<state> state_;
};

}  // namespace msgbus
