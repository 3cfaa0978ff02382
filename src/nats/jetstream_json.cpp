#include "jetstream_json.hpp"

#include "deliveries.hpp"
#include "times.hpp"
#include "transport/names.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>

namespace msgbus::nats {

// --- Answers. ------------------------------------------------------------------------------------

namespace {

constexpr int not_enabled = 10076;
constexpr int not_enabled_for_account = 10039;

/// The value of an object's member; `otherwise` where it is another type's, or not there.
template <class T>
T member_of(const json& object, const char* name, T otherwise) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (found == object.end()) return otherwise;
  const T* const value = found->get_ptr<const T*>();
  return value ? *value : otherwise;
}

int number_of(const json& object, const char* name) {
  return static_cast<int>(member_of<json::number_integer_t>(object, name, 0));
}

/// Of an object's members only those on its own level.
class json_reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit json_reader(transport::stored& into) : into_(into) {}
  [[nodiscard]] bool is_complete() const { return has_stream_ && has_sequence_ && !has_error_; }

  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    member_ = name == "stream"      ? member::stream
              : name == "seq"       ? member::sequence
              : name == "duplicate" ? member::duplicate
                                    : member::other;
    has_error_ = has_error_ || name == "error";
    return true;
  }
  bool string(string_t& value) override {
    if (is(member::stream)) {
      into_.stream = std::move(value);
      has_stream_ = true;
    }
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (is(member::sequence)) {
      into_.sequence = value;
      has_sequence_ = true;
    }
    return true;
  }
  bool boolean(bool value) override {
    if (is(member::duplicate)) into_.duplicate = value;
    return true;
  }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  enum class member { other, stream, sequence, duplicate };
  [[nodiscard]] bool is(member which) const { return depth_ == 1 && member_ == which; }
  bool enter() {
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  transport::stored& into_;
  member member_ = member::other;
  int depth_ = 0;
  bool has_stream_ = false;
  bool has_sequence_ = false;
  bool has_error_ = false;
};

}  // namespace

// Callbacks of the connection call it, which must not throw: an answer may have any shape.
refusal refusal_of(const json& answer) {
  const auto found = answer.is_object() ? answer.find("error") : answer.end();
  if (found == answer.end()) return {};
  refusal said{number_of(*found, "code"), number_of(*found, "err_code"),
               member_of<json::string_t>(*found, "description", {})};
  if (said.text.empty()) said.text = found->dump();
  return said;
}

void check_answer(const json& answer, const std::string& text) {
  const refusal said = refusal_of(answer);
  if (said.text.empty()) return;
  if (said.err_code == message_too_large || said.err_code == headers_too_large) {
    throw transport::message_refused(text + ": " + said.text);
  }
  const bool none = said.err_code == not_enabled || said.err_code == not_enabled_for_account;
  throw error(none ? errc::unsupported : errc::transport_failed, text + ": " + said.text);
}

namespace {

/// Takes the text from the beginning of the rest.
bool take(std::string_view& rest, std::string_view text) noexcept {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

// The answer to nearly every message that is stored, as servers write it: `{"stream":"NAME",
// "seq":1}`. The reader of JSON takes a sixth of all instructions of a store for it.
bool read_usual_stored(std::string_view rest, transport::stored& into) {
  if (!take(rest, R"({"stream":")")) return false;
  const std::size_t end = rest.find_first_of("\"\\");
  if (end == std::string_view::npos || rest[end] != '"') return false;
  const std::string_view stream = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  if (!take(rest, ",")) return false;
  (void)take(rest, " ");
  if (!take(rest, R"("seq":)")) return false;
  if (rest.starts_with('0')) return false;
  std::uint64_t sequence = 0;
  const char* const first = std::to_address(rest.begin());
  const char* const last = first + rest.size();
  const auto [after, fault] = std::from_chars(first, last, sequence);
  if (fault != std::errc() || std::string_view(after, last) != "}") return false;
  into = {.stream = std::string(stream), .sequence = sequence};
  return true;
}

}  // namespace

bool read_stored(std::string_view text, transport::stored& into) {
  if (read_usual_stored(text, into)) return true;
  json_reader read(into);
  return nlohmann::json::sax_parse(text.begin(), text.end(), &read) && read.is_complete();
}

// --- Streams. ------------------------------------------------------------------------------------

json stream_config(const transport::stream_options& wanted) {
  // The server refuses to remember ids for longer than messages.
  const bool ages = wanted.max_age > duration::zero();
  const duration remembered =
      ages ? std::min(wanted.duplicate_window, wanted.max_age) : wanted.duplicate_window;
  return {{"name", wanted.name},
          {"subjects", wanted.topics},
          {"retention", "limits"},
          {"storage", wanted.in_memory ? "memory" : "file"},
          {"discard", "old"},
          {"num_replicas", 1},
          {"max_consumers", -1},
          {"max_bytes", -1},
          {"max_msgs", wanted.max_messages},
          {"max_age", nanoseconds(wanted.max_age)},
          {"duplicate_window", nanoseconds(remembered)}};
}

bool add_topics(json& config, const std::vector<std::string>& wanted) {
  auto topics = config.value("subjects", std::vector<std::string>());
  const auto before = topics;
  for (const std::string& each : wanted) {
    const bool there = std::any_of(topics.begin(), topics.end(), [&](const std::string& existing) {
      return transport::pattern_covers(existing, each);
    });
    if (there) continue;
    // The server refuses topics that the new one covers.
    const auto covered = [&](const std::string& existing) {
      return transport::pattern_covers(each, existing);
    };
    topics.erase(std::remove_if(topics.begin(), topics.end(), covered), topics.end());
    topics.push_back(each);
  }
  config["subjects"] = topics;
  return topics != before;
}

// --- Durable consumers. --------------------------------------------------------------------------

namespace {

void add_misfit(std::string& to, const char* field, const json& is, const std::string& needed) {
  if (!to.empty()) to += ", ";
  to += std::string(field) + " is " + is.dump(-1, ' ', false, json::error_handler_t::replace) +
        ", and must be " + needed;
}

// A consumer has one filter, or, since nats-server 2.10, several.
json filters_of(const json& there) {
  if (const auto many = there.find("filter_subjects"); many != there.end()) {
    if (!many->empty()) return *many;
  }
  const json one = there.value("filter_subject", json(""));
  return one == json("") ? json::array() : json::array({one});
}

bool is_set(const json& value) {
  return !value.is_null() && value != json("") && value != json(false) && value != json(0) &&
         !((value.is_array() || value.is_object()) && value.empty());
}

}  // namespace

json consumer_config(const transport::pull_options& which) {
  json config = {{"durable_name", which.durable},
                 {"deliver_policy", "all"},
                 {"replay_policy", "instant"},
                 {"ack_policy", "explicit"},
                 {"ack_wait", nanoseconds(which.ack_wait)},
                 // The links count failures: a message that the server gave up would be neither
                 // handled nor dead-lettered.
                 {"max_deliver", -1},
                 // The requests limit the messages in flight.
                 {"max_ack_pending", -1}};
  if (!which.filter.empty()) config["filter_subject"] = which.filter;
  return config;
}

std::string misfits(const json& there, const transport::pull_options& which) {
  std::string text;
  const json policy = there.value("ack_policy", json(""));
  if (policy != "explicit") add_misfit(text, "ack_policy", policy, "\"explicit\"");
  const json has = filters_of(there);
  const json needs = which.filter.empty() ? json::array() : json::array({which.filter});
  if (has != needs) {
    add_misfit(text, "filter_subject",
               has.empty()       ? json("")
               : has.size() == 1 ? has[0]
                                 : has,
               which.filter.empty() ? "empty" : json(which.filter).dump());
  }
  // Pushed it cannot be pulled; without payloads nothing can be decoded; we are of no group.
  for (const char* const each : {"deliver_subject", "headers_only", "priority_groups"}) {
    const json value = there.value(each, json());
    if (is_set(value)) add_misfit(text, each, value, "absent");
  }
  const auto at_least = [&](const char* field, std::int64_t least) {
    const json value = there.value(field, json());
    if (!is_set(value) || !value.is_number_integer()) return;
    const auto most = value.get<std::int64_t>();
    if (most <= 0 || most >= least) return;
    add_misfit(text, field, value, std::to_string(least) + " at least");
  };
  at_least("max_batch", std::int64_t{pull_credit::largest_request});
  at_least("max_expires", nanoseconds(pull_credit::request_expires));
  return text;
}

bool has_backoff(const json& there) { return is_set(there.value("backoff", json())); }

bool has_ack_wait(const json& there, const transport::pull_options& which) {
  return there.value("ack_wait", json()) == json(nanoseconds(which.ack_wait));
}

bool is_less_patient(const json& there, const transport::pull_options& which) {
  const std::int64_t asked = nanoseconds(which.ack_wait);
  const auto shorter = [&](const json& each) {
    return !each.is_number_integer() || each.get<std::int64_t>() < asked;
  };
  if (!has_backoff(there)) return shorter(there.value("ack_wait", json()));
  const json& waits = there["backoff"];
  return std::any_of(waits.begin(), waits.end(), shorter);
}

std::string impatience(const json& there, const transport::pull_options& which) {
  std::string text;
  const char* const field = has_backoff(there) ? "backoff" : "ack_wait";
  add_misfit(text, field, there.value(field, json()),
             std::to_string(nanoseconds(which.ack_wait)) + " ns at least");
  return text;
}

json with_ack_wait(json there, const transport::pull_options& which) {
  there["ack_wait"] = nanoseconds(which.ack_wait);
  return there;
}

}  // namespace msgbus::nats
