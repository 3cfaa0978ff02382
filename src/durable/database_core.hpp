#pragma once

// The parts of an open database and their connections: routes, destinations, the two threads.

#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/durable/database.hpp>

#include "durable/destination.hpp"
#include "durable/jobs.hpp"
#include "durable/once.hpp"
#include "durable/read_thread.hpp"
#include "durable/unit.hpp"
#include "durable/writer.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace msgbus::durable::detail {

/// Owned by the database and by its coroutines, never by its threads: it ends them. Jobs refer to
/// it, and end before the writer does.
class database_core final : public std::enable_shared_from_this<database_core>,
                            public writer_host,
                            private exec::context_shutdown_hook {
 public:
  /// Throws `bad_arguments` for options that contradict each other.
  database_core(asio::any_io_executor executor, open_options options);
  ~database_core();

  /// Opens the file; tells `opened` on the writer thread.
  void start(writer::opened_function opened) { writer_.start(std::move(opened)); }
  /// Ends deliveries and both threads. Submitted transactions are committed.
  void stop() noexcept;

  [[nodiscard]] const open_options& options() const noexcept { return options_; }

  void add_route(std::string name, const bridging::message_decoder& reads, route_target to);

  /// Adds a message to the unit, once for each route of its type.
  void add_messages(unit& to, std::string_view type, payload made,
                    std::optional<wall_clock::time_point> when);

  /// False, and the job has failed, if the database is closed.
  bool submit(std::shared_ptr<job> added);
  void read(read_thread::task added);

  /// The end of a delivery.
  void settle(std::shared_ptr<job> how_it_ended,
              writer::urgency when = writer::urgency::soon) noexcept;

  /// Starts a coroutine on the executor. False if that has ended.
  bool launch(std::string where, asio::awaitable<void> work) noexcept;

  static asio::awaitable<bool> drain(std::shared_ptr<database_core> self,
                                     std::chrono::steady_clock::duration deadline);

  [[nodiscard]] counters stats() const;
  /// The figures for metrics. Those of the file are the last that were read; while they are asked
  /// for, they are read about each second.
  [[nodiscard]] async::detail::store_stats figures();

  using counter = std::atomic<std::uint64_t>;
  static void count(counter& of, std::uint64_t more = 1) noexcept {
    of.fetch_add(more, std::memory_order_relaxed);
  }
  counter transactions{0};
  counter refused{0};
  counter commits_alone{0};
  counter dispatched{0};
  counter delivered{0};
  counter retried{0};
  counter dead_lettered{0};
  counter repeated{0};

  runs_in_hand once_runs;

  // For the writer thread. The first two are done when all jobs of the group have been told.
  /// The rows stay where they are until then: those that are not taken are destroyed with their
  /// transaction, mostly by the thread that made them.
  void deliver(std::span<message_row> committed) noexcept { to_deliver_.push_back(committed); }
  void deliver(std::vector<message_row>&& committed) noexcept {
    deliver(std::span(kept_.emplace_back(std::move(committed))));
  }
  void has_space(const std::shared_ptr<destination>& of) noexcept;
  void load_more(const std::shared_ptr<destination>& of) noexcept;
  void repeat_later(std::shared_ptr<job> failed, const std::exception_ptr& why) noexcept;
  void pause_release(const std::exception_ptr& why) noexcept;
  void cleaned_up(bool has_more) noexcept;
  void report(const char* where, const std::exception_ptr& why) noexcept override;

  [[noreturn]] void throw_closed() const;

  [[nodiscard]] std::vector<std::shared_ptr<destination>> destinations() const;

 private:
  using clock = std::chrono::steady_clock;
  using route_names = std::shared_ptr<const std::vector<std::string>>;

  [[nodiscard]] std::shared_ptr<job> release_due() override;
  void look_after() noexcept override;
  void group_ended() noexcept override;
  [[nodiscard]] clock::duration look_again_after() const noexcept override;
  [[nodiscard]] clock::time_point release_not_before() const noexcept override {
    return release_after_;
  }
  void context_ended() noexcept override;
  void read_figures() noexcept;
  [[nodiscard]] std::shared_ptr<destination> destination_of(const std::string& name) const;

  const open_options options_;
  bridging::id_source ids_;

  std::mutex executor_mutex_;
  asio::any_io_executor executor_;  // under that mutex; empty once its context has ended

  mutable std::mutex routes_mutex_;
  std::map<std::string, std::shared_ptr<destination>, std::less<>> destinations_;
  std::map<std::string, route_names, std::less<>> routes_;  // by type
  bool draining_ = false;                                   // these: under that mutex

  std::mutex repeat_mutex_;
  std::vector<std::shared_ptr<job>> to_repeat_;  // under that mutex

  std::atomic<bool> wants_figures_{false};
  std::mutex figures_mutex_;
  file_status figures_;  // these: under that mutex
  clock::time_point figures_wanted_until_{};
  clock::time_point read_figures_at_{};
  bool reading_figures_ = false;

  // For the writer thread.
  clock::time_point release_after_{};
  clock::time_point clean_up_at_{};
  bool trouble_is_told_ = false;
  bool has_trouble_ = false;  // something must be repeated
  std::vector<std::span<message_row>> to_deliver_;
  std::vector<std::vector<message_row>> kept_;  // of those, without an owner
  std::vector<std::shared_ptr<destination>> with_space_;

  read_thread read_thread_;
  writer writer_;
};

}  // namespace msgbus::durable::detail
