#include "over_nats.hpp"

#include "support/nats_server.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>

namespace bench {

namespace {

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "\n%s\n", why.c_str());
  std::_Exit(1);
}

// Its thread must be the one that lives longest: the server ends with who started it.
std::optional<msgbus_test::nats_server>& server() {
  static std::optional<msgbus_test::nats_server> only;
  return only;
}

}  // namespace

static_assert(msgbus::name_of<blob> == blob_type);

blob::blob(std::uint64_t number) noexcept { std::memcpy(bytes.data(), &number, sizeof number); }

// --- The server. ---------------------------------------------------------------------------------

const std::string& server_url() {
  static const std::string url = [] {
    try {
      return server().emplace().url();
    } catch (const std::exception& e) {
      fail(e.what());
    }
  }();
  return url;
}

std::string server_version() { return server() ? version_in(server()->log()) : std::string(); }

std::string version_in(const std::string& log) {
  constexpr std::string_view before = "Version:";
  const auto at = log.find(before);
  if (at == std::string::npos) return "unknown";
  const auto begin = log.find_first_not_of(' ', at + before.size());
  return log.substr(begin, log.find_first_of(" \r\n", begin) - begin);
}

std::string new_name(const std::string& of) {
  static std::uint64_t last = 0;
  return of + "_" + std::to_string(++last);
}

// --- nats.c. -------------------------------------------------------------------------------------

void check(natsStatus status, const char* doing) {
  if (status == NATS_OK) return;
  fail(std::string("nats.c, ") + doing + ": " + natsStatus_GetText(status));
}

plain_connection::plain_connection(bool at_once) {
  natsOptions* made = nullptr;
  check(natsOptions_Create(&made), "options");
  const std::unique_ptr<natsOptions, destroying<natsOptions, natsOptions_Destroy>> how(made);
  check(natsOptions_SetURL(made, server_url().c_str()), "url");
  check(natsOptions_SetSendAsap(made, at_once), "sending at once");
  natsConnection* connected = nullptr;
  check(natsConnection_Connect(&connected, made), "connecting");
  connection_.reset(connected);
}

jetstream_ptr plain_connection::jetstream(jsOptions* how) const {
  jsCtx* made = nullptr;
  check(natsConnection_JetStream(&made, get(), how), "JetStream");
  return jetstream_ptr(made);
}

subscription_ptr plain_connection::subscribe(const std::string& subject, natsMsgHandler handler,
                                             void* closure) const {
  natsSubscription* made = nullptr;
  check(natsConnection_Subscribe(&made, get(), subject.c_str(), handler, closure), "subscribing");
  subscription_ptr result(made);
  check(natsSubscription_SetPendingLimits(made, -1, -1), "limits");
  check(natsConnection_Flush(get()), "flushing");
  return result;
}

message_ptr with_headers(const std::string& subject, std::string_view payload,
                         const std::string& id, const char* type, const char* content_type) {
  natsMsg* made = nullptr;
  check(natsMsg_Create(&made, subject.c_str(), nullptr, payload.data(),
                       static_cast<int>(payload.size())),
        "making a message");
  message_ptr result(made);
  check(natsMsgHeader_Set(made, msgbus::header::message_id.data(), id.c_str()), "a header");
  check(natsMsgHeader_Set(made, msgbus::header::type.data(), type), "a header");
  check(natsMsgHeader_Set(made, msgbus::header::content_type.data(), content_type), "a header");
  return result;
}

message_ptr with_headers(const std::string& subject, const blob& of, const std::string& id) {
  return with_headers(subject, {of.bytes.data(), of.bytes.size()}, id, blob_type,
                      blob_content_type);
}

void look_at_headers(natsMsg* message) {
  for (const std::string_view each :
       {msgbus::header::message_id, msgbus::header::type, msgbus::header::content_type}) {
    const char* value = nullptr;
    check(natsMsgHeader_Get(message, each.data(), &value), "a header");
    (void)opaque(value);
  }
}

plain_ids::plain_ids() : prefix_(new_name("plain-ids")) {}

std::string plain_ids::next() {
  std::string id = prefix_;
  id += std::to_string(++last_);
  return id;
}

plain_stream::plain_stream(const std::string& of)
    : name_(new_name(of)), subject_(name_ + ".placed") {
  jsOptions how;
  check(jsOptions_Init(&how), "options");
  how.PublishAsync.MaxPending = 1024;
  how.PublishAsync.StallWait = 10'000;
  jetstream_ = connection_.jetstream(&how);
  jsStreamConfig config;
  check(jsStreamConfig_Init(&config), "options of a stream");
  const char* subjects[] = {subject_.c_str()};
  config.Name = name_.c_str();
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  check(js_AddStream(nullptr, jetstream_.get(), &config, nullptr, nullptr), "adding a stream");
}

plain_stream::~plain_stream() {
  check(js_DeleteStream(jetstream_.get(), name_.c_str(), nullptr, nullptr), "deleting a stream");
}

void plain_stream::stock(std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) {
    const std::string id = ids_.next();
    natsMsg* message = with_headers(subject_, blob(i), id).release();
    check(js_PublishMsgAsync(jetstream_.get(), &message, nullptr), "publishing");
  }
  check(js_PublishAsyncComplete(jetstream_.get(), nullptr), "publishing");
  natsMsgList unsent{};
  if (js_PublishAsyncGetPendingList(&unsent, jetstream_.get()) == NATS_OK) {
    fail("a stream did not store what it was stocked with");
  }
}

void plain_stream::wait_until_settled(const std::string& durable) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    jsConsumerInfo* info = nullptr;
    check(js_GetConsumerInfo(&info, jetstream_.get(), name_.c_str(), durable.c_str(), nullptr,
                             nullptr),
          "asking for a consumer");
    const bool settled = info->NumAckPending == 0 && info->NumPending == 0;
    const std::string left = std::to_string(info->NumAckPending) + " are not settled, " +
                             std::to_string(info->NumPending) + " not delivered";
    jsConsumerInfo_Destroy(info);
    if (settled) return;
    if (std::chrono::steady_clock::now() > deadline) fail(durable + ": " + left);
  }
}

// --- msgbus. -------------------------------------------------------------------------------------

roaming_context::roaming_context() : thread_([this] { context_.run(); }) {}

roaming_context::~roaming_context() {
  work_.reset();
  thread_.join();
}

namespace {

asio::awaitable<void> connect(asio::any_io_executor executor, std::string url,
                              std::optional<msgbus::bridge>& into) {
  msgbus::nats::options options;
  options.url = std::move(url);
  options.pending_limit = 1 << 20;  // more than are ever under way: nothing is dropped
  auto connecting = msgbus::nats::connect(executor, options);
  into.emplace(co_await std::move(connecting));
}

}  // namespace

msgbus::bridge connected(const asio::any_io_executor& executor, const std::string& url) {
  std::optional<msgbus::bridge> made;
  asio::io_context here{1};
  run_here(here, connect(executor, url, made));
  return std::move(*made);
}

void flush(msgbus::bridge& which) {
  asio::io_context here{1};
  run_here(here, which.flush());
}

// --- Both. ---------------------------------------------------------------------------------------

void arrivals::wait() {
  constexpr std::chrono::seconds long_enough{20};
  const std::uint64_t goal = goal_;
  std::unique_lock lock(mutex_);
  for (std::uint64_t last = count();; last = count()) {
    if (all_there_.wait_for(lock, long_enough, [&] { return reached_ == goal; })) return;
    if (count() == last) {
      fail(std::to_string(count()) + " were handled of " + std::to_string(goal) +
           ", and no more of them for 20 s");
    }
  }
}

void arrivals::arrived() noexcept {
  const std::uint64_t now = allocations_here();
  add_allocations(now - std::exchange(allocated_, now));
  const std::lock_guard lock(mutex_);
  reached_ = count_.load(std::memory_order_relaxed);
  all_there_.notify_all();
}

// --- Streams. ------------------------------------------------------------------------------------

namespace {

struct blobs_to_store {
  plain_stream stream;
  const unsigned coroutines;
  asio::io_context here{1};
  msgbus::bridge out = connected(here.get_executor());
  const msgbus::store_options how;
  std::uint64_t stored = 0;

  blobs_to_store(const std::string& name, unsigned many) : stream(name), coroutines(many) {}

  /// One of several that share the messages.
  asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages) {
    while (next < messages) {
      const blob message(next++);
      auto storing = out.store(message, stream.subject(), how);
      const msgbus::transport::stored where = co_await std::move(storing);
      if (where.duplicate) std::abort();
      ++stored;
    }
  }
  void send(std::uint64_t messages) {
    std::uint64_t next = 0;
    here.restart();
    for (unsigned i = 0; i < coroutines; ++i) {
      asio::co_spawn(here, some_of(next, messages), must_succeed);
    }
    here.run();
  }
};

}  // namespace

subject storing_blobs(const std::string& stream, unsigned coroutines) {
  auto made = std::make_shared<blobs_to_store>(stream, coroutines);
  subject over;
  over.handled = [made] { return made->stored; };
  over.send = [made](std::uint64_t messages) { made->send(messages); };
  return over;
}

}  // namespace bench

msgbus::payload msgbus::codec<bench::blob>::encode(const bench::blob& from, encoding) {
  return {std::string(from.bytes.data(), from.bytes.size()), bench::blob_content_type};
}

bench::blob msgbus::codec<bench::blob>::decode(std::string_view bytes, std::string_view) {
  bench::blob made;
  if (bytes.size() != made.bytes.size()) throw std::runtime_error("a blob has 128 bytes");
  std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
  return made;
}
