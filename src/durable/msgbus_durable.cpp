// The program msgbus-durable: shows the contents of a file of durable messages, and its dead
// letters.

#include <msgbus/durable/database.hpp>
#include <msgbus/durable/inspect.hpp>
#include <msgbus/version.hpp>

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace {

namespace durable = msgbus::durable;
using nlohmann::json;
using time_point = std::chrono::system_clock::time_point;

struct request {
  std::string file;
  std::string prefix = "msgbus_";
  std::size_t most = 100;
  bool as_json = false;
  std::int64_t id = 0;
};

/// In UTC, as RFC 3339 has it.
std::string text_of(time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  char text[sizeof "2026-01-01T00:00:00Z"];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields)};
}

json json_of(const std::optional<time_point>& when) { return when ? json(text_of(*when)) : json(); }

json json_of(const durable::waiting_messages& all) {
  return {
      {"destination", all.destination}, {"type", all.type},     {"count", all.count},
      {"scheduled", all.scheduled},     {"failed", all.failed}, {"oldest", json_of(all.oldest)}};
}

json json_of(const durable::waiting_message& one) {
  return {{"seq", one.seq},
          {"message_id", one.message_id},
          {"destination", one.destination},
          {"type", one.type},
          {"attempts", one.attempts},
          {"committed", json_of(one.committed)},
          {"due", json_of(one.due)},
          {"body", one.body}};
}

json json_of(const durable::dead_letter& one) {
  return {{"id", one.id},
          {"message_id", one.message_id},
          {"destination", one.destination},
          {"type", one.type},
          {"attempts", one.attempts},
          {"failed_at", text_of(one.failed_at)},
          {"reason", one.reason},
          {"body", one.body}};
}

/// Bytes that are no UTF-8 become U+FFFD; everything else outside of ASCII is escaped.
std::string line_of(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

/// A member a column: texts as they are if they are plain, else as JSON has them.
std::string column_of(const json& value) {
  if (value.is_null()) return "-";
  std::string line = line_of(value);
  if (!value.is_string()) return line;
  const auto& text = value.get_ref<const std::string&>();
  const bool is_plain =
      !text.empty() && line.size() == text.size() + 2 && text.find(' ') == std::string::npos;
  return is_plain ? text : line;
}

/// One object a line, as JSON or as name=value.
template <class All>
void print(const All& all, bool as_json) {
  for (const auto& each : all) {
    const json members = json_of(each);
    if (as_json) {
      std::cout << line_of(members) << '\n';
      continue;
    }
    const char* before = "";
    for (const auto& [name, value] : members.items()) {
      std::cout << before << name << '=' << column_of(value);
      before = " ";
    }
    std::cout << '\n';
  }
}

void print_status(const request& asked) {
  durable::inspector file(asked.file, asked.prefix);
  const durable::file_status status = file.status();
  if (asked.as_json) {
    json waiting = json::array();
    for (const auto& each : status.waiting) waiting.push_back(json_of(each));
    std::cout << line_of({{"version", status.version},
                          {"dead_letters", status.dead_letters},
                          {"handled_ids", status.handled_ids},
                          {"waiting", waiting}})
              << '\n';
    return;
  }
  std::cout << "version=" << status.version << " dead_letters=" << status.dead_letters
            << " handled_ids=" << status.handled_ids << '\n';
  print(status.waiting, false);
}

asio::awaitable<void> change(asio::any_io_executor executor, durable::open_options options,
                             const request& asked, bool replays, bool& was_there) {
  auto opening = durable::open(std::move(executor), std::move(options));
  const auto file = co_await std::move(opening);
  auto changing = replays ? file->replay(asked.id) : file->discard(asked.id);
  was_there = co_await std::move(changing);
}

/// Becomes the owner of the file for a moment.
void change_dead_letter(const request& asked, bool replays) {
  {
    const durable::inspector must_be_there(asked.file, asked.prefix);
  }
  durable::open_options options;
  options.file = asked.file;
  options.prefix = asked.prefix;
  asio::io_context io;
  std::exception_ptr failure;
  bool was_there = false;
  asio::co_spawn(io, change(io.get_executor(), options, asked, replays, was_there),
                 [&](std::exception_ptr e) { failure = std::move(e); });
  io.run();
  if (failure) std::rethrow_exception(failure);
  if (!was_there) {
    throw msgbus::error(msgbus::errc::bad_arguments,
                        asked.file + " has no dead letter " + std::to_string(asked.id));
  }
  std::cout << "dead letter " << asked.id
            << (replays ? ": waits for its destination again\n" : ": discarded\n");
}

}  // namespace

int main(int argc, char** argv) {
  request asked;
  CLI::App app("The durable messages in a file of msgbus::durable.", "msgbus-durable");
  app.set_version_flag("--version", std::string(msgbus::version_string()));
  app.add_option("FILE", asked.file, "the SQLite file")->required();
  app.add_option("--prefix", asked.prefix, "of the library's tables")->capture_default_str();
  app.require_subcommand(1);

  const auto reads = [&](const char* name, const char* text) {
    CLI::App* const made = app.add_subcommand(name, text);
    made->add_flag("--json", asked.as_json, "one JSON object a line");
    return made;
  };
  CLI::App* const status =
      reads("status", "how many messages wait for each destination, and since when");
  CLI::App* const outbox = reads("outbox", "the messages that wait, one a line");
  CLI::App* const dead = reads("dead", "the dead letters, one a line");
  for (CLI::App* const each : {outbox, dead}) {
    each->add_option("--most", asked.most, "how many lines")->capture_default_str();
  }
  CLI::App* const replay = app.add_subcommand(
      "replay", "makes a dead letter a message again; no program may have the file open");
  CLI::App* const discard =
      app.add_subcommand("discard", "removes a dead letter; no program may have the file open");
  for (CLI::App* const each : {replay, discard}) {
    each->add_option("ID", asked.id, "of the dead letter, as `dead` prints it")->required();
  }
  CLI11_PARSE(app, argc, argv);

  try {
    if (status->parsed()) print_status(asked);
    if (outbox->parsed()) {
      print(durable::inspector(asked.file, asked.prefix).messages(asked.most), asked.as_json);
    }
    if (dead->parsed()) {
      print(durable::inspector(asked.file, asked.prefix).dead_letters(asked.most), asked.as_json);
    }
    if (replay->parsed()) change_dead_letter(asked, true);
    if (discard->parsed()) change_dead_letter(asked, false);
    if (!std::cout.flush()) throw std::runtime_error("the output cannot be written");
  } catch (const std::exception& e) {
    std::cerr << "msgbus-durable: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
