#include "durations.hpp"
#include "jetstream.hpp"
#include "transport/names.hpp"
#include "transport/patterns.hpp"

#include <msgbus/core/topic.hpp>

#include <algorithm>

namespace msgbus::nats {

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
  const auto until = std::chrono::steady_clock::now() + patience;
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
