#pragma once

/// The state that a bridge, its links and remote services share: the connection, and requests over
/// it.

#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/detail/observe/duration_histogram.hpp>
#include <msgbus/tracer.hpp>
#include <msgbus/transport/transport.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::bridging {

class reply_sink;

/// The durations of one kind of operation at the transport. Thread-safe.
struct measured_operation {
  measured_operation(std::string_view operation, std::string_view topic)
      : name(operation), destination(topic) {}

  const std::string name;                         // `send`, `store` or `call`
  const std::string destination;                  // a topic, a pattern or a prefix; empty: any
  msgbus::detail::duration_histogram ended = {};  // without a failure
  msgbus::detail::duration_histogram failed = {};
};

/// What a remote service calls, for descriptions and metrics.
struct remote_prefix {
  explicit remote_prefix(std::string topic) : prefix(std::move(topic)) {}

  const std::string prefix;
  std::atomic<measured_operation*> calls{nullptr};  // null: none was measured
};

// The sentences of errors, for explanations too.
inline constexpr const char* sends_no_request = "the bridge is closed and sends no request";
[[nodiscard]] std::string no_process_serves(std::string_view topic);

/// Thread-safe.
class hub {
 public:
  using failure_listener = std::function<void(std::string_view, const std::exception_ptr&)>;

  hub(std::shared_ptr<transport::transport> over, failure_listener on_failure);
  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;
  ~hub();

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept {
    return wire->get_executor();
  }

  /// Reports a failure without a caller to the user.
  void failed(std::string_view where, const std::exception_ptr& failure) const noexcept;

  /// The replies to requests, to which the hub listens from now on. Throws `closed`.
  [[nodiscard]] std::shared_ptr<reply_sink> listen();

  /// The tracer for spans; null: none.
  void trace(std::shared_ptr<tracer> to);
  [[nodiscard]] std::shared_ptr<tracer> traced_by() const;

  /// Remembers a remote service for as long as the result exists.
  [[nodiscard]] std::shared_ptr<remote_prefix> add_remote(std::string prefix);
  [[nodiscard]] std::vector<std::shared_ptr<remote_prefix>> remote_services() const;

  // The durations of operations are measured as long as a result of `measure` exists.
  [[nodiscard]] static std::shared_ptr<const void> measure(const std::shared_ptr<hub>& of);
  [[nodiscard]] bool measures() const noexcept {
    return measuring_.load(std::memory_order_relaxed) != 0;
  }
  /// Valid as long as the hub; `cached` is null, or what an earlier call has put there.
  [[nodiscard]] measured_operation& operation(std::atomic<measured_operation*>& cached,
                                              std::string_view name, std::string_view destination);
  [[nodiscard]] std::vector<const measured_operation*> operations() const;
  std::atomic<measured_operation*> stores{nullptr};

  /// Pending and new requests fail with `closed`.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const;

  const std::shared_ptr<transport::transport> wire;
  /// The coroutines and deliveries that `drain` waits for; they may outlive the hub.
  const std::shared_ptr<exec::wait_group> busy = std::make_shared<exec::wait_group>();
  id_source ids;

 private:
  const failure_listener on_failure_;
  mutable std::mutex mutex_;
  std::atomic<bool> is_traced_{false};
  std::shared_ptr<tracer> tracer_;
  std::shared_ptr<reply_sink> reply_sink_;  // after the first request
  std::vector<std::weak_ptr<remote_prefix>> remotes_;
  std::vector<std::unique_ptr<measured_operation>> operations_;
  std::atomic<std::size_t> measuring_{0};
  bool closed_ = false;
};

/// Starts work without a caller; its exception is reported as a failure of `where`.
void launch(std::shared_ptr<hub> on, const asio::any_io_executor& executor, std::string where,
            asio::awaitable<void> work);

}  // namespace msgbus::bridging
