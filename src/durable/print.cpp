#include "core/print.hpp"
#include "core/text.hpp"

#include <msgbus/durable/database.hpp>
#include <msgbus/durable/dead_letter.hpp>
#include <msgbus/durable/inspect.hpp>
#include <msgbus/durable/options.hpp>
#include <msgbus/durable/value.hpp>

#include <array>
#include <charconv>
#include <variant>

namespace msgbus::durable {

std::ostream& operator<<(std::ostream& out, synchronous wanted) {
  using enum synchronous;
  return out << msgbus::detail::enumerator<synchronous>(
             wanted, "synchronous", {{full, "full"}, {normal, "normal"}, {off, "off"}});
}

namespace {

struct value_text {
  std::string operator()(std::monostate /*unused*/) const { return "null"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    std::array<char, 32> text;  // the longest has 24: the shortest form that reads as the same
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
  }
  std::string operator()(const std::string& text) const { return msgbus::detail::quoted(text); }
  std::string operator()(const blob& bytes) const {
    return "blob of " + std::to_string(bytes.size()) + " bytes";
  }
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const row& of) {
  msgbus::detail::printed members("row");
  for (std::size_t i = 0; i < of.size(); ++i) {
    members.written(msgbus::detail::escaped((*of.columns_)[i]),
                    std::visit(value_text(), of.values_[i]));
  }
  return out << members;
}

std::ostream& operator<<(std::ostream& out, const dead_letter& letter) {
  return out << msgbus::detail::printed("dead_letter")
                    .member("id", letter.id)
                    .member("message_id", letter.message_id)
                    .member("destination", letter.destination)
                    .member("type", letter.type)
                    .member("body", letter.body)
                    .member("reason", letter.reason)
                    .member("attempts", letter.attempts);
}

std::ostream& operator<<(std::ostream& out, const waiting_messages& all) {
  return out << msgbus::detail::printed("waiting_messages")
                    .member("destination", all.destination)
                    .member("type", all.type)
                    .member("count", all.count)
                    .member("scheduled", all.scheduled)
                    .member("failed", all.failed);
}

std::ostream& operator<<(std::ostream& out, const waiting_message& one) {
  return out << msgbus::detail::printed("waiting_message")
                    .member("seq", one.seq)
                    .member("message_id", one.message_id)
                    .member("destination", one.destination)
                    .member("type", one.type)
                    .member("body", one.body)
                    .member("attempts", one.attempts);
}

std::ostream& operator<<(std::ostream& out, const file_status& all) {
  std::uint64_t waiting = 0;
  for (const waiting_messages& each : all.waiting) waiting += each.count;
  return out << msgbus::detail::printed("file_status")
                    .member("version", all.version)
                    .member("waiting", waiting)
                    .member("dead_letters", all.dead_letters)
                    .member("handled_ids", all.handled_ids);
}

std::ostream& operator<<(std::ostream& out, const counters& all) {
  return out << msgbus::detail::printed("counters")
                    .member("committed", all.committed)
                    .member("failed", all.failed)
                    .member("commits", all.commits)
                    .member("dispatched", all.dispatched)
                    .member("delivered", all.delivered)
                    .member("retried", all.retried)
                    .member("dead_lettered", all.dead_lettered)
                    .member("repeated", all.repeated)
                    .member("in_flight", all.in_flight);
}

}  // namespace msgbus::durable
