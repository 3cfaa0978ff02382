#pragma once

/// Reads the figures of a host for its monitor, and does what it asks for. Waits for no executor.

#include <msgbus/async/host.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>

#include "monitor/executor_probe.hpp"
#include "monitor/failure_log.hpp"
#include "monitor/reading.hpp"
#include "monitor/server.hpp"

#include <asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace msgbus::monitoring {

/// Begins replays on the executor of a host, while that exists. Thread-safe.
class replay_starter final : private exec::context_shutdown_hook {
 public:
  explicit replay_starter(const asio::any_io_executor& executor);
  ~replay_starter() { unlink_and_release(executor_); }

  /// False: the context of the executor has ended.
  bool start(const std::shared_ptr<async::dead_letters>& of, std::set<std::uint64_t> ids,
             const std::shared_ptr<failure_log>& log);

 private:
  void context_ended() noexcept override;

  std::mutex mutex_;
  asio::any_io_executor executor_;  // under the mutex
};

/// For one thread, except for `act`.
class collector {
 public:
  explicit collector(const async::host& all, const monitor_options& options);
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  /// Detaches what it has attached.
  ~collector();

  [[nodiscard]] reading read();

  /// As `served_content::act`.
  std::size_t act(letter_action action, const std::vector<std::string>& ids);

 private:
  using member = std::shared_ptr<async::detail::host_member>;
  using store = std::shared_ptr<async::dead_letters>;
  /// What was attached to a component.
  struct attachment;

  void attach(const member& to);
  void add_component(reading& to, const member& of, msgbus::detail::graph_builder& graph);
  void add_letters(reading& to);
  [[nodiscard]] std::uint64_t number_of(const store& of);

  const duration stalled_after_;
  const std::uint32_t sample_;
  const std::function<std::vector<member>()> members_;
  const std::function<host_progress()> progress_;
  const std::shared_ptr<failure_log> log_ = std::make_shared<failure_log>();
  replay_starter replays_;
  executor_probes probes_;
  std::map<const void*, std::unique_ptr<attachment>> attached_;
  std::map<std::uint64_t, store> in_use_;          // of one pass
  std::map<const void*, std::size_t> letters_of_;  // of one pass, by component

  std::mutex stores_mutex_;
  // Under the mutex: what an id of a letter begins with.
  std::map<std::uint64_t, std::weak_ptr<async::dead_letters>> stores_;
  std::uint64_t last_store_ = 0;
};

}  // namespace msgbus::monitoring
