#include "jetstream.hpp"

#include "durations.hpp"
#include "transport/names.hpp"
#include "transport/patterns.hpp"

#include <msgbus/core/topic.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

// While a server starts, nobody listens there for a moment.
constexpr int tries_if_nobody_listens = 4;
constexpr auto between_tries = 250ms;

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

void check_answer(const json& answer, const std::string& what) {
  const refusal said = refusal_of(answer);
  if (said.text.empty()) return;
  if (said.err_code == message_too_large || said.err_code == headers_too_large) {
    throw transport::message_refused(what + ": " + said.text);
  }
  const bool none = said.err_code == not_enabled || said.err_code == not_enabled_for_account;
  throw error(none ? errc::unsupported : errc::transport_failed, what + ": " + said.text);
}

asio::awaitable<json> ask_jetstream(std::shared_ptr<session> through, std::string subject,
                                    json request, deadline until) {
  const std::string what = "JetStream's " + subject;
  envelope message{"$JS.API." + subject};
  if (!request.is_null()) message.payload = request.dump();
  int nobody = 0;
  for (;;) {
    answer got = co_await through->asking(role::prompt).ask(message, until);
    through->check_ended(got, role::prompt, until, what);
    if (got.came == answer::how::given && got.status.empty()) {
      json said = json::parse(got.payload, nullptr, false);
      if (!said.is_object()) throw error(errc::transport_failed, what + ": not JSON");
      co_return said;
    }
    if (got.came == answer::how::given && ++nobody == tries_if_nobody_listens) {
      throw error(errc::unsupported,
                  what + ": " + through->over(role::prompt)->server() + " has no JetStream");
    }
    const duration left = until.left();
    co_await through->pause(std::min<duration>(left, between_tries));
    if (left <= between_tries) throw through->out_of_time(role::prompt, what);
  }
}

// --- Streams. ------------------------------------------------------------------------------------

namespace {

constexpr auto patience = std::chrono::seconds(5);

json config_of(const transport::stream_options& wanted) {
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

// Gives whether there was anything to add.
bool add_topics(json& config, const std::vector<std::string>& wanted) {
  auto topics = config.value("subjects", std::vector<std::string>());
  const auto before = topics;
  for (const std::string& each : wanted) {
    const bool there = std::any_of(topics.begin(), topics.end(), [&](const std::string& known) {
      return transport::pattern_covers(known, each);
    });
    if (there) continue;
    // What the new one covers would overlap with it, which is refused.
    const auto covered = [&](const std::string& known) {
      return transport::pattern_covers(each, known);
    };
    topics.erase(std::remove_if(topics.begin(), topics.end(), covered), topics.end());
    topics.push_back(each);
  }
  config["subjects"] = topics;
  return topics != before;
}

}  // namespace

asio::awaitable<void> ensure_stream(std::shared_ptr<session> through,
                                    transport::stream_options wanted) {
  transport::check_name(wanted.name, "stream");
  for (const std::string& each : wanted.topics) detail::check_pattern(each);
  const std::string what = "stream '" + wanted.name + "'";
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, patience);
  for (bool again = false;; again = true) {
    json known = co_await ask_jetstream(through, "STREAM.INFO." + wanted.name, nullptr, until);
    if (refusal_of(known).err_code == stream_not_found) {
      json config = config_of(wanted);
      json made = co_await ask_jetstream(through, "STREAM.CREATE." + wanted.name, config, until);
      // Made by another process in the meantime: then its topics count.
      if (refusal_of(made).err_code == stream_exists && !again) continue;
      check_answer(made, what);
      co_return;
    }
    check_answer(known, what);
    json config = known["config"];
    if (!add_topics(config, wanted.topics)) co_return;
    json changed = co_await ask_jetstream(through, "STREAM.UPDATE." + wanted.name, config, until);
    check_answer(changed, what);
    co_return;
  }
}

}  // namespace msgbus::nats
