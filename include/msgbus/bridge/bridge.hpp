#pragma once

/// Joins components to other processes, over a transport. Handlers and those who send know nothing
/// of it.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/bridge/bridge_link.hpp>
#include <msgbus/bridge/detail/hub.hpp>
#include <msgbus/bridge/detail/outbound.hpp>
#include <msgbus/bridge/detail/served.hpp>
#include <msgbus/bridge/options.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus {

/// A connection and what goes over it. Moved, not copied. Every function may be called from any
/// thread. Destroying it cancels every link and closes the connection; `drain` first loses nothing.
///
/// Links are on until they are cancelled, also where their handle is dropped. The types of messages
/// are named where a link is made: nothing crosses processes that was not meant to, and a type
/// without a codec does not compile. What goes wrong on a link is counted there, and told to
/// `bridge_options::on_failure`.
///
/// Name options on a line of their own before an awaiting one (guide, chapter 9).
class bridge {
 public:
  explicit bridge(std::shared_ptr<transport::transport> over, bridge_options how = {});
  bridge(bridge&&) noexcept = default;
  bridge& operator=(bridge&& other) noexcept;
  ~bridge();

  // --- At most once.
  // -------------------------------------------------------------------------------

  /// What is published here, of these types and to topics that match, also goes out (B1, B7). It
  /// passes through a mailbox: `publish` waits until the transport has it, `send` until the mailbox
  /// has. What cannot be sent leaves `publish` as an error; otherwise it is as with any handler
  /// (A8). A link sends a message once: as its exact type, else as the first type that it converts
  /// to (T5).
  template <class... Ms>
  bridge_link outbound(async::publisher& from, std::string_view pattern,
                       const outbound_options& how = {}) {
    static_assert(sizeof...(Ms) > 0, "msgbus: name the types: bridge.outbound<order>(...)");
    auto made = bridging::make_outbound<Ms...>(parts_->hub, pattern, how.mailbox,
                                               {how.encoding, how.form, how.source});
    from.bind(made->component);
    return keep(std::move(made));
  }

  /// The same for events; an event's topic is `<prefix>.` and its name. Throws `bad_arguments` if
  /// two types of event on this bridge have the same topic but different names.
  template <class... Es>
  bridge_link outbound(async::producer& from, const outbound_options& how = {}) {
    static_assert(sizeof...(Es) > 0, "msgbus: name the types: bridge.outbound<order_placed>(...)");
    auto made = bridging::make_outbound_events(parts_->hub, how.prefix, how.mailbox,
                                               {how.encoding, how.form, how.source},
                                               detail::unique_list<Es...>{});
    from.bind(made->component);
    return keep(std::move(made));
  }

  /// What others send to topics that match runs the handlers here (B1): it is decoded, and put into
  /// the subscriber's mailbox. While that is full, the transport is held back as far as it can be;
  /// then it drops, and `stats().dropped` counts. What it does not know to be one of these types is
  /// undecodable. What was sent after a `flush` that began after this arrives.
  template <class... Ms>
  bridge_link inbound(async::subscriber& to, std::string_view pattern,
                      const inbound_options& how = {}) {
    static_assert(sizeof...(Ms) > 0, "msgbus: name the types: bridge.inbound<order>(...)");
    detail::check_pattern(pattern);
    const std::vector<std::string> patterns{std::string(pattern)};
    return keep(bridging::join_inbound(parts_->hub, end_of<Ms...>(to, true), patterns, how));
  }

  /// The same for events, by name.
  template <class... Es>
  bridge_link inbound(async::consumer& to, const inbound_options& how = {}) {
    static_assert(sizeof...(Es) > 0, "msgbus: name the types: bridge.inbound<order_placed>(...)");
    std::vector<bridging::event_type> types =
        bridging::event_types_of(how.prefix, detail::unique_list<Es...>{});
    auto made = bridging::join_inbound(parts_->hub, end_of<Es...>(to, false),
                                       bridging::topics_of(types), how);
    made->events = std::move(types);
    return keep(std::move(made));
  }

  // --- Commands.
  // -----------------------------------------------------------------------------------

  /// Others can call these operations, each at `<prefix>.<name>`. A `remote_service` calls them.
  template <class... Signatures>
  bridge_link serve(std::string prefix, const async::operation<Signatures>&... operations) {
    return serve(std::move(prefix), serve_options{}, operations...);
  }
  template <class... Signatures>
  bridge_link serve(std::string prefix, const serve_options& how,
                    const async::operation<Signatures>&... operations) {
    static_assert(sizeof...(Signatures) > 0, "msgbus: name the operations that are served");
    bridging::served_operations all{bridging::make_served(operations, how.encoding)...};
    return keep(bridging::join_served(parts_->hub, std::move(prefix), std::move(all), how));
  }

  // --- At least once.
  // ------------------------------------------------------------------------------

  /// Makes the stream that keeps what is sent to these topics, or adds the topics to it.
  [[nodiscard]] asio::awaitable<void> ensure_stream(transport::stream_options stream) {
    return parts_->hub->wire->ensure_stream(std::move(stream));
  }

  /// Completes when the stream of the topic has stored the message (B2). It tries until the
  /// timeout, and a message is stored once however often it is tried. Throws `encode_failed`,
  /// `timed_out` (it may have been stored all the same: with a `message_id` of your own, storing
  /// again is harmless), `transport_failed` if no stream takes the topic. The caller resumes on its
  /// own executor.
  template <class M>
  [[nodiscard]] asio::awaitable<transport::stored> store(M message, std::string_view topic,
                                                         const store_options& how) {
    detail::check_topic(topic);
    payload made = codec<M>::encode(message, how.encoding);
    return store(std::string(topic), std::move(made), name_of<M>, how);
  }
  // No default arguments here: GCC 12 destroys them twice where they are awaited.
  template <class M>
  [[nodiscard]] asio::awaitable<transport::stored> store(M message, std::string_view topic) {
    return store(std::move(message), topic, store_options{});
  }
  /// The same for an event.
  template <class E>
  [[nodiscard]] asio::awaitable<transport::stored> store_event(E event, const store_options& how) {
    return store(std::move(event), bridging::event_topic(how.prefix, name_of<E>), how);
  }
  template <class E>
  [[nodiscard]] asio::awaitable<transport::stored> store_event(E event) {
    return store_event(std::move(event), store_options{});
  }

  /// Messages of a stream run the handlers here, each until they have ended well (B2). It is
  /// settled when all its handlers and their clean-ups have ended: done if none failed; else it
  /// comes again after a pause, and after `max_deliver` times, or if it cannot be decoded, it goes
  /// to the dead letters (B3). Never more are taken than the mailbox has room for: the stream keeps
  /// the rest (B4). A message may come twice: `context::message_id` tells. Completes with the link
  /// when the durable consumer is there; throws what the transport throws.
  template <class... Ms>
  [[nodiscard]] asio::awaitable<bridge_link> durable(async::subscriber& to, std::string pattern,
                                                     durable_options how) {
    static_assert(sizeof...(Ms) > 0, "msgbus: name the types: bridge.durable<order>(...)");
    detail::check_pattern(pattern);
    return durable(parts_, end_of<Ms...>(to, true), std::move(pattern), {}, std::move(how));
  }

  /// The same for events of one type.
  template <class E>
  [[nodiscard]] asio::awaitable<bridge_link> durable(async::consumer& to, durable_options how) {
    std::vector<bridging::event_type> types =
        bridging::event_types_of(how.prefix, detail::type_list<E>{});
    std::string topic = types.front().topic;
    return durable(parts_, end_of<E>(to, false), std::move(topic), std::move(types),
                   std::move(how));
  }

  // --- The connection.
  // -----------------------------------------------------------------------------

  /// Completes when the other side has all that was sent, and knows of all links.
  [[nodiscard]] asio::awaitable<void> flush(
      std::chrono::steady_clock::duration timeout = std::chrono::seconds(5)) {
    return parts_->hub->wire->flush(timeout);
  }

  /// The first half of `drain`: takes nothing new in, and completes when what came in is handled
  /// and settled, at the deadline at the latest. What handlers send still goes out. Says what
  /// became of what was under way when it began: what is abandoned and came from a stream is
  /// delivered again.
  [[nodiscard]] asio::awaitable<drain_report> drain_inbound(
      std::chrono::steady_clock::duration deadline) {
    return drain_inbound(parts_, deadline);
  }

  /// The orderly end (B8): `drain_inbound`, then waits until what is to go out has gone, and closes
  /// the connection, at the deadline at the latest. The grace of `drain_options`, the last part of
  /// that time, is kept for what is to go out. Where handlers send on by way of other components,
  /// which may hold messages that are still to go out: first `drain_inbound`, then drain the
  /// components, then this.
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline) {
    return drain(parts_, deadline, {});
  }
  [[nodiscard]] asio::awaitable<drain_report> drain(std::chrono::steady_clock::duration deadline,
                                                    drain_options how) {
    return drain(parts_, deadline, how);
  }

  /// Cancels every link and closes the connection, at once.
  void close() noexcept;

  /// All links that were made and are active.
  [[nodiscard]] std::vector<bridge_link> links() const;

  [[nodiscard]] const std::shared_ptr<transport::transport>& transport() const noexcept {
    return parts_->hub->wire;
  }
  [[nodiscard]] asio::any_io_executor get_executor() const { return parts_->hub->executor(); }

 private:
  friend class remote_service;

  struct parts {
    std::shared_ptr<bridging::hub> hub;
    mutable std::mutex mutex;
    std::vector<std::shared_ptr<bridging::link_base>> links;
    bool closed = false;
  };

  template <class... Ms, class Component>
  static bridging::receiving_end end_of(Component& to, bool with_topic) {
    return {component::core_access::of(to), bridging::readers_of(detail::unique_list<Ms...>{}),
            with_topic};
  }

  bridge_link keep(std::shared_ptr<bridging::link_base> made) {
    return keep(*parts_, std::move(made));
  }
  static bridge_link keep(parts& in, std::shared_ptr<bridging::link_base> made);
  static void check_events(const parts& in, const std::vector<bridging::event_type>& types);
  static void close(parts& in) noexcept;
  static asio::awaitable<bridge_link> durable(std::shared_ptr<parts> in, bridging::receiving_end to,
                                              std::string pattern,
                                              std::vector<bridging::event_type> events,
                                              durable_options how);
  asio::awaitable<transport::stored> store(std::string topic, payload made, std::string_view type,
                                           const store_options& how);
  static asio::awaitable<drain_report> drain_inbound(std::shared_ptr<parts> all,
                                                     std::chrono::steady_clock::duration deadline);
  static asio::awaitable<drain_report> drain(std::shared_ptr<parts> all,
                                             std::chrono::steady_clock::duration deadline,
                                             drain_options how);

  std::shared_ptr<parts> parts_;
};

}  // namespace msgbus
