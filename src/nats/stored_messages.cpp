#include "stored_messages.hpp"

#include "jetstream.hpp"
#include "stored_message_json.hpp"
#include "transport/limits.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::nats {

namespace {

constexpr auto patience_with_messages = std::chrono::seconds(5);

/// What JetStream says of one message.
asio::awaitable<json> ask_for_message(std::shared_ptr<session> through, std::string stream,
                                      json request) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, patience_with_messages);
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
  const deadline until(here, patience_with_messages);
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
