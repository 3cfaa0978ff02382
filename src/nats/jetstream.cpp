#include "jetstream.hpp"

#include "message_format.hpp"
#include "transport/names.hpp"

#include <msgbus/topic.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

// While a server starts, nobody listens there for a moment.
constexpr int tries_if_nobody_listens = 4;
constexpr auto between_tries = 250ms;

}  // namespace

asio::awaitable<json> ask_jetstream(std::shared_ptr<session> through, std::string subject,
                                    json request, deadline until) {
  const std::string text = "JetStream's " + subject;
  envelope message{"$JS.API." + subject};
  if (!request.is_null()) message.payload = request.dump();
  check(message);
  int nobody = 0;
  for (;;) {
    answer got = co_await through->asking(role::low_latency).ask(message, until);
    through->check_ended(got, role::low_latency, until, text);
    if (got.came == answer::end::given && got.status.empty()) {
      json said = json::parse(got.payload, nullptr, false);
      if (!said.is_object()) throw error(errc::transport_failed, text + ": not JSON");
      co_return said;
    }
    if (got.came == answer::end::given && ++nobody == tries_if_nobody_listens) {
      throw error(errc::unsupported,
                  text + ": " + through->over(role::low_latency)->server() + " has no JetStream");
    }
    const duration left = until.left();
    co_await through->pause(std::min<duration>(left, between_tries));
    if (left <= between_tries) throw through->out_of_time(role::low_latency, text);
  }
}

// --- Streams. ------------------------------------------------------------------------------------

namespace {

constexpr auto time_limit = std::chrono::seconds(5);

}  // namespace

asio::awaitable<void> ensure_stream(std::shared_ptr<session> through,
                                    transport::stream_options wanted) {
  transport::check_name(wanted.name, "stream");
  for (const std::string& each : wanted.topics) detail::check_pattern(each);
  const std::string text = "stream '" + wanted.name + "'";
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, time_limit);
  for (bool again = false;; again = true) {
    json existing = co_await ask_jetstream(through, "STREAM.INFO." + wanted.name, nullptr, until);
    if (refusal_of(existing).err_code == stream_not_found) {
      json config = stream_config(wanted);
      json made = co_await ask_jetstream(through, "STREAM.CREATE." + wanted.name, config, until);
      // Made by another process in the meantime: then its topics count.
      if (refusal_of(made).err_code == stream_exists && !again) continue;
      check_answer(made, text);
      co_return;
    }
    check_answer(existing, text);
    json config = existing["config"];
    if (!add_topics(config, wanted.topics)) co_return;
    json changed = co_await ask_jetstream(through, "STREAM.UPDATE." + wanted.name, config, until);
    check_answer(changed, text);
    co_return;
  }
}

// --- Storing. ------------------------------------------------------------------------------------

namespace {

// When so few are under way, nothing is gained by sending them together.
constexpr std::size_t few = 8;

// After so long an answer is taken to be lost.
constexpr auto one_try = 2s;

constexpr int tries_if_no_stream = 3;
constexpr auto between_stores = 200ms;
constexpr int for_the_moment = 503;  // JetStream's code for temporary failures: no leader, no space

/// In memory that nats.c's thread, which may be the last to have it, gives back.
reply_table::pointer make_reply() {
  using reply = transport::reply<answer>;
  return std::allocate_shared<reply>(bridging::shared_block_allocator<reply>());
}

/// Sends it, for a reply that is awaited. False: the connection is away, and it would be sent again
/// and again when that is back.
bool ask_to_store(const session& through, role which, const envelope& message,
                  const awaited_reply& reply) {
  if (through.over(which)->is_away()) return false;
  try {
    through.asking(which).send(message, reply.number());
    return true;
  } catch (const error& e) {
    if (e.code() != errc::full && e.code() != errc::disconnected) throw;
    return false;
  }
}

/// Whether this answer says so. False: another try may do better.
bool is_stored(const session& through, role which, const envelope& message, const deadline& until,
               const answer& got, int& nobody, transport::stored& into) {
  // First of all, since nearly every answer is this.
  if (got.came == answer::end::given && read_stored(got.payload, into)) return true;
  const std::string text = "store '" + message.topic + "'";
  through.check_ended(got, which, until, text);
  if (got.came != answer::end::given) return false;
  if (!got.status.empty()) {
    if (++nobody < tries_if_no_stream) return false;
    throw error(errc::transport_failed, "no stream takes '" + message.topic + "'");
  }
  const json said = json::parse(got.payload, nullptr, false);
  if (!said.is_object()) throw error(errc::transport_failed, text + ": the answer is not JSON");
  if (refusal_of(said).code != for_the_moment) check_answer(said, text);
  if (refusal_of(said).text.empty()) {
    throw error(errc::transport_failed, text + ": the answer is not JetStream's");
  }
  return false;
}

}  // namespace

// One coroutine for all of it: each more would cost every message.
asio::awaitable<transport::stored> store(std::shared_ptr<session> through, envelope message,
                                         duration timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, timeout);
  transport::check_storable(message);
  check_size(message);
  int nobody = 0;
  for (;;) {
    const role which = through->replies_awaited() < few ? role::low_latency : role::bulk;
    {
      const awaited_reply reply(through->asking(which).waiting(), here,
                                std::min<duration>(until.left(), one_try), make_reply());
      answer got{answer::end::lost};
      if (ask_to_store(*through, which, message, reply)) {
        co_await reply.promise()->one_shot_event::wait();
        got = taken(reply);
      }
      transport::stored result;
      if (is_stored(*through, which, message, until, got, nobody, result)) co_return result;
    }
    const duration left = until.left();
    co_await through->pause(std::min<duration>(left, between_stores));
    if (left <= between_stores) {
      throw through->out_of_time(role::bulk, "store '" + message.topic + "'");
    }
  }
}

// --- Durable consumers. --------------------------------------------------------------------------

namespace {

asio::awaitable<json> make_consumer(std::shared_ptr<session> through, std::string name,
                                    std::string stream, json config, const char* action,
                                    deadline until) {
  json request;
  request["stream_name"] = std::move(stream);
  request["config"] = std::move(config);
  // Servers from 2.10 on know it: then what was made meanwhile is not changed, and what has gone
  // meanwhile is not made.
  request["action"] = action;
  json answer = co_await ask_jetstream(through, "CONSUMER.DURABLE.CREATE." + name, request, until);
  co_return answer;
}

// A consumer of the server's operators stays unchanged, unless another `ack_wait` is requested.
asio::awaitable<void> attach(std::shared_ptr<session> through, transport::pull_options which,
                             std::string text, json there, deadline until) {
  const std::string wrong = misfits(there, which);
  if (!wrong.empty()) throw error(errc::transport_failed, text + ": " + wrong);
  if (has_backoff(there)) {
    if (is_less_patient(there, which)) {
      throw error(errc::transport_failed, text + ": " + impatience(there, which));
    }
    co_return;
  }
  if (has_ack_wait(there, which)) co_return;
  json changed = with_ack_wait(there, which);
  const std::string name = which.stream + '.' + which.durable;
  const json made = co_await make_consumer(through, name, which.stream, changed, "update", until);
  if (refusal_of(made).err_code == consumer_not_found) check_answer(made, text);
  // Where it may not be changed, one that is more patient does as well: nothing comes too soon.
  const json& now = made.contains("config") ? made["config"] : there;
  if (!is_less_patient(now, which)) co_return;
  const std::string why = refusal_of(made).text;
  throw error(errc::transport_failed,
              text + ": " + impatience(now, which) + (why.empty() ? std::string() : ": " + why));
}

}  // namespace

asio::awaitable<void> ensure_consumer(std::shared_ptr<session> through,
                                      transport::pull_options which) {
  const std::string name = which.stream + '.' + which.durable;
  const std::string text = "stream '" + which.stream + "', durable '" + which.durable + "'";
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, time_limit);
  for (bool again = false;; again = true) {
    json existing = co_await ask_jetstream(through, "CONSUMER.INFO." + name, nullptr, until);
    if (refusal_of(existing).err_code != consumer_not_found) {
      check_answer(existing, text);
      co_await attach(through, which, text, existing["config"], until);
      co_return;
    }
    json config = consumer_config(which);
    json made = co_await make_consumer(through, name, which.stream, config, "create", until);
    // Made by another process in the meantime: then that one counts.
    const int code = refusal_of(made).err_code;
    if ((code == consumer_exists || code == consumer_name_taken) && !again) continue;
    check_answer(made, text);
    co_return;
  }
}

// --- Single messages of a stream. ----------------------------------------------------------------

namespace {

constexpr auto messages_time_limit = std::chrono::seconds(5);

/// JetStream's reply about one message.
asio::awaitable<json> ask_for_message(std::shared_ptr<session> through, std::string stream,
                                      json request) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, messages_time_limit);
  json said = co_await ask_jetstream(through, "STREAM.MSG.GET." + stream, request, until);
  co_return said;
}

}  // namespace

// Not by js_GetMsg and js_DeleteMsg: those block, and the first finds no next message.

asio::awaitable<std::optional<transport::stored_message>> read_from_stream(
    std::shared_ptr<session> through, std::string stream, std::uint64_t from) {
  transport::check_name(stream, "stream");
  json request = next_message_request(from);
  const json said = co_await ask_for_message(through, stream, request);
  std::optional<transport::stored_message> result;
  if (refusal_of(said).err_code == no_message_found) co_return result;
  check_answer(said, "stream '" + stream + "'");
  result = read_message(said, "stream '" + stream + "'");
  co_return result;
}

asio::awaitable<bool> erase_from_stream(std::shared_ptr<session> through, std::string stream,
                                        std::uint64_t sequence) {
  transport::check_name(stream, "stream");
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, messages_time_limit);
  json request = erase_request(sequence);
  const json said = co_await ask_jetstream(through, "STREAM.MSG.DELETE." + stream, request, until);
  const refusal refused = refusal_of(said);
  if (refused.text.empty()) co_return true;
  if (refused.err_code == sequence_not_found) co_return false;
  if (refused.err_code == message_not_deleted) {
    // For a message that is not there, servers differ in what they say.
    json exact = message_request(sequence);
    const json there = co_await ask_for_message(through, stream, exact);
    if (refusal_of(there).err_code == no_message_found) co_return false;
  }
  check_answer(said, "stream '" + stream + "', message " + std::to_string(sequence));
  co_return true;
}

}  // namespace msgbus::nats
