#pragma once

/// What the workloads over NATS share: a server, plain nats.c as one would use it, and bridges.
/// Their threads are on whatever core is free: there are more of them than cores.

#include <msgbus/nats/connect.hpp>

#include "harness.hpp"
#include "peer_asio.hpp"

#include <nats/nats.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

/// The message: 128 bytes, which its codec copies. So the figures are without JSON.
struct blob {
  std::array<char, 128> bytes{};

  blob() = default;
  explicit blob(std::uint64_t number) noexcept;
};

/// The headers that msgbus sends with a blob, for those who send the same by hand.
inline constexpr const char* blob_type = "bench::blob";
inline constexpr const char* blob_content_type = "application/octet-stream";

// --- The server. ---------------------------------------------------------------------------------

/// Starts the server at the first call; it is ended with the process.
[[nodiscard]] const std::string& server_url();
/// What a server says of itself in its log.
[[nodiscard]] std::string version_in(const std::string& log);
/// For the results: empty if none was needed.
[[nodiscard]] std::string server_version();

/// Another name at each call, so that no contender hears another one.
[[nodiscard]] std::string new_name(const std::string& of);

// --- nats.c. -------------------------------------------------------------------------------------

/// Ends the program, unless it is well.
void check(natsStatus status, const char* doing);

template <class T, void (*Destroy)(T*)>
struct destroying {
  void operator()(T* what) const noexcept { Destroy(what); }
};
using message_ptr = std::unique_ptr<natsMsg, destroying<natsMsg, natsMsg_Destroy>>;
using subscription_ptr =
    std::unique_ptr<natsSubscription, destroying<natsSubscription, natsSubscription_Destroy>>;
using jetstream_ptr = std::unique_ptr<jsCtx, destroying<jsCtx, jsCtx_Destroy>>;

/// With `at_once` nothing waits to be sent with others.
class plain_connection {
 public:
  explicit plain_connection(bool at_once = false);
  [[nodiscard]] natsConnection* get() const noexcept { return connection_.get(); }
  [[nodiscard]] jetstream_ptr jetstream(jsOptions* how = nullptr) const;

  /// Without a limit: nothing is dropped.
  [[nodiscard]] subscription_ptr subscribe(const std::string& subject, natsMsgHandler handler,
                                           void* closure) const;

 private:
  std::unique_ptr<natsConnection, destroying<natsConnection, natsConnection_Destroy>> connection_;
};

/// A payload with the headers that msgbus sends.
[[nodiscard]] message_ptr with_headers(const std::string& subject, std::string_view payload,
                                       const std::string& id, const char* type,
                                       const char* content_type);
/// The same for a blob.
[[nodiscard]] message_ptr with_headers(const std::string& subject, const blob& of,
                                       const std::string& id);
/// Reads the values of these headers.
void look_at_headers(natsMsg* message);
/// Ids that are as long as msgbus's, each another one.
class plain_ids {
 public:
  plain_ids();
  [[nodiscard]] std::string next();

 private:
  std::string prefix_;
  std::uint64_t last_ = 0;
};

/// A stream in files, for one subject, until this is destroyed.
class plain_stream {
 public:
  explicit plain_stream(const std::string& of);
  ~plain_stream();
  plain_stream(const plain_stream&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  /// Stores blobs as msgbus does. Returns when all are.
  void stock(std::uint64_t messages);
  /// Returns when the durable consumer has nothing more to deliver, and nothing is unsettled. Ends
  /// the program if that seems never to be.
  void wait_until_settled(const std::string& durable) const;

 private:
  plain_connection connection_;
  jetstream_ptr jetstream_;
  std::string name_, subject_;
  plain_ids ids_;
};

// --- msgbus. -------------------------------------------------------------------------------------

/// An io_context and its thread, on any core.
class roaming_context {
 public:
  roaming_context();
  ~roaming_context();
  roaming_context(const roaming_context&) = delete;
  [[nodiscard]] asio::any_io_executor executor() noexcept { return context_.get_executor(); }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;
};

/// Returns when it is connected. Its links run on the executor.
[[nodiscard]] msgbus::bridge connected(const asio::any_io_executor& executor,
                                       const std::string& url = server_url());

/// Returns when the server knows of all its links.
void flush(msgbus::bridge& which);

/// `bridge.store` from so many coroutines. Everything of it is on the thread that sends.
[[nodiscard]] subject storing_blobs(const std::string& stream, unsigned coroutines);

// --- Both. ---------------------------------------------------------------------------------------

/// What one thread handles and another one waits for, asleep: on a machine with few cores, who
/// looks all the time takes the time of those who work.
class arrivals {
 public:
  /// For the thread that handles: one more.
  void handled() noexcept {
    const std::uint64_t now = count_.load(std::memory_order_relaxed) + 1;
    count_.store(now, std::memory_order_relaxed);
    if (now == goal_.load(std::memory_order_relaxed)) [[unlikely]]
      arrived();
  }

  /// Before the first of so many more is sent.
  void expect(std::uint64_t more) noexcept { goal_ += more; }
  /// Returns when all that were expected were handled. Ends the program if that seems never to be.
  void wait();
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  void arrived() noexcept;

  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> goal_{0};  // written while nothing is under way
  std::uint64_t allocated_ = 0;         // by the thread that handles, when it last arrived
  std::mutex mutex_;
  std::condition_variable all_there_;
  std::uint64_t reached_ = 0;  // under the mutex
};

}  // namespace bench

template <>
struct msgbus::codec<bench::blob> {
  static payload encode(const bench::blob& from, encoding = encoding::json);
  static bench::blob decode(std::string_view bytes, std::string_view content_type);
};
