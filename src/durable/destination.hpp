#pragma once

// A target of messages: which rows are in memory, and how they get to the target.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/bridge/decode.hpp>
#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/durable/database.hpp>

#include "durable/key_lines.hpp"
#include "durable/outbox.hpp"
#include "durable/window.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::durable::detail {

class database_core;

/// Thread-safe. It may outlive the core, with messages that a component still has.
class destination : public std::enable_shared_from_this<destination> {
 public:
  destination(std::weak_ptr<database_core> in, std::string name, std::size_t window_size,
              route_target to)
      : core_(std::move(in)), name_(std::move(name)), to_(std::move(to)), window_(window_size) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const route_target& target() const noexcept { return to_; }

  /// Adds the route to a graph, between its database and its target.
  void add_to(msgbus::detail::graph_builder& to, const void* database) const;

  /// Adds what becomes of an event, if its type has this route. False: it has not.
  bool explain(explanation& to, msgbus::detail::type_key type, std::string_view named) const;

  /// Throws `bad_arguments` if another type has this name.
  void add_type(const bridging::message_decoder& reads);

  // For the writer thread. Both begin to deliver.

  /// Messages that were just committed, or released, in their order. Takes some of them.
  void offer(std::span<message_row> rows);
  /// Loads the messages that the window requests.
  void load(outbox& in);
  /// Loads messages of which only the positions are in memory, as `begin_load_of_lines` has asked.
  void load(outbox& in, const std::vector<std::int64_t>& positions);

  /// Whether the window asks for rows: then `load` must be called.
  [[nodiscard]] bool begin_load();
  /// The positions to load; empty: none.
  [[nodiscard]] std::vector<std::int64_t> begin_load_of_lines();

  /// The messages have left the file, or are scheduled there.
  void gone(std::span<const std::int64_t> positions);

  /// Adds the messages that were handled, and are still in the file.
  void take_handled(std::vector<std::int64_t>& to);

  /// Delivers nothing more.
  void stop() noexcept;

  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] const std::shared_ptr<exec::wait_group>& busy() const noexcept { return busy_; }

 private:
  class tracked;

  void start_locked();
  static asio::awaitable<void> pump(std::shared_ptr<destination> self);
  /// A delivery that counts as busy; null once deliveries have stopped.
  [[nodiscard]] std::shared_ptr<tracked> begin(const message_row& row);
  /// False: its mailbox is full, and `send` waits for space.
  [[nodiscard]] bool send_now(key_lines::entry& one);
  asio::awaitable<void> send(key_lines::entry one);
  /// Begins to store a message, on the executor of the pump; its end settles it.
  void begin_store(std::shared_ptr<tracked> mine, message_row& row,
                   const asio::any_io_executor& here);
  static asio::awaitable<void> store(std::shared_ptr<tracked> one, envelope message);
  [[nodiscard]] static headers headers_for(const message_row& row);
  /// Decodes a message, and puts it into the line of its key; sends it if it has none. Not empty:
  /// it waits for space in the mailbox.
  [[nodiscard]] std::optional<key_lines::entry> handle(message_row& row,
                                                       const asio::any_io_executor& here);
  asio::awaitable<void> send_first_of_lines();
  /// False: it has no key, and is the caller's.
  [[nodiscard]] bool enqueue(const message_row& row, exec::shared_message& message);
  [[nodiscard]] std::optional<key_lines::entry> take_of_lines();
  /// The line of this message goes on, if it is in one.
  void leave_line(std::int64_t seq) noexcept;
  [[nodiscard]] std::optional<std::string> key_in_line(std::int64_t seq) const;
  [[nodiscard]] bool take(std::vector<message_row>& batch);
  [[nodiscard]] exec::shared_message decoded(message_row& from,
                                             std::shared_ptr<tracked> listener) const;
  void mark(std::int64_t seq, database_core& in);
  void settle(std::int64_t seq, std::int64_t attempts, outcome result, std::size_t ran,
              const failures& failed) noexcept;
  void not_sent(std::int64_t seq, std::int64_t attempts, const std::exception_ptr& why) noexcept;
  void give_up(std::int64_t seq, std::int64_t attempts, std::string reason) noexcept;

  const std::weak_ptr<database_core> core_;
  const std::string name_;
  const route_target to_;
  const std::shared_ptr<exec::wait_group> busy_ = std::make_shared<exec::wait_group>();
  mutable std::mutex mutex_;
  using decoders = std::vector<bridging::message_decoder>;
  std::shared_ptr<const decoders> decoders_ = std::make_shared<decoders>();  // under the mutex:
  window window_;
  std::vector<message_row> queue_;
  std::vector<std::int64_t> handled_;  // not yet given to a mark
  std::unique_ptr<key_lines> lines_;   // null: no message had a key
  bool pumping_ = false;
  bool stopped_ = false;
};

}  // namespace msgbus::durable::detail
