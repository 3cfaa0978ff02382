#pragma once

/// Decodes envelopes into messages for handlers.

#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/bridge/shared_blocks.hpp>
#include <msgbus/detail/core/type_list.hpp>
#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::bridging {

/// A topic that one thread keeps and another one forgets.
using received_topic =
    std::basic_string<char, std::char_traits<char>, shared_block_allocator<char>>;

/// A message from another process, in a mailbox.
template <class M>
class received_message final : public exec::queued_message {
 public:
  received_message(M&& message, std::string_view topic, shared_origin origin,
                   std::shared_ptr<exec::outcome_listener> listener)
      : message_(std::move(message)),
        topic_(topic),
        origin_(std::move(origin)),
        listener_(std::move(listener)) {
    check_holds(message_);
  }

  [[nodiscard]] exec::message_head head() const noexcept override {
    return {with_event(message_, [](value_ref value) { return value; }), topic_, &origin_, true,
            listener_.get()};
  }
  /// It is shared from the beginning, since its owners pass on its content.
  [[nodiscard]] std::shared_ptr<queued_message> share() override {
    return std::make_shared<received_message>(std::move(message_), topic_, origin_, listener_);
  }

 private:
  M message_;
  received_topic topic_;
  shared_origin origin_;
  std::shared_ptr<exec::outcome_listener> listener_;
};

/// The parts of a received message.
struct incoming {
  const envelope& from;    // without its headers, which the origin has
  std::string_view topic;  // as handlers see it; empty for events
  shared_origin origin;    // never null
  std::shared_ptr<exec::outcome_listener> listener;
};

/// Reads messages of one type.
struct message_decoder {
  std::string_view type;  // its name on the wire
  exec::shared_message (*read)(incoming&&);
  std::string_view (*content_type)(encoding written) = nullptr;  // null: unknown
};

template <class M>
exec::shared_message read_message(incoming&& one) {
  M message =
      codec<M>::decode(one.from.payload, header_of(one.origin->headers, header::content_type));
  using made = received_message<M>;
  return std::allocate_shared<made>(shared_block_allocator<made>(), std::move(message), one.topic,
                                    std::move(one.origin), std::move(one.listener));
}

template <class M>
inline constexpr message_decoder decoder_of{name_of<M>, &read_message<M>,
                                            &detail::content_type_of_codec<M>};

/// Throws `bad_arguments` if two types have the same name: the second would never read a message.
[[nodiscard]] std::vector<message_decoder> checked_decoders(std::vector<message_decoder> all);

template <class... Ms>
std::vector<message_decoder> decoders_of(type_list<Ms...>) {
  return checked_decoders({decoder_of<Ms>...});
}

/// Reads a message with the decoder of the type in its headers; without that header, with the only
/// decoder. Throws only `decode_failed`.
[[nodiscard]] exec::shared_message read(std::span<const message_decoder> decoders, incoming&& one);

}  // namespace msgbus::bridging
