#pragma once

/// The state that the parts of one transport share.

#include "connection.hpp"
#include "times.hpp"
#include "transport/reply_table.hpp"

#include <msgbus/detail/bridge/shared_blocks.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/wait_list.hpp>
#include <msgbus/nats/options.hpp>

#include <asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::nats {

class pull_consumer;

/// Reports the events of a connection to the user: posts each one to the executor, unless its
/// context is ending or has ended. Thread-safe.
class events final : private exec::context_shutdown_hook {
 public:
  events(asio::any_io_executor executor, std::function<void(const event&)> to);
  ~events() { unlink_and_release(executor_); }

  void tell(event::kind kind, std::string_view text);
  /// Empty once its context has ended: an executor must not outlive that.
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  void context_ended() noexcept override;

  const std::function<void(const event&)> to_;
  std::mutex mutex_;
  asio::any_io_executor executor_;  // told to under the mutex
};

/// A text that nats.c's threads keep and coroutines forget.
using received_text =
    std::basic_string<char, std::char_traits<char>, bridging::shared_block_allocator<char>>;

/// How a wait for a reply has ended.
struct answer {
  enum class end { given, late, lost, closed };
  end came = end::given;
  std::string status = {};     ///< of a message without a payload: the server's code
  received_text payload = {};  ///< or an error's text
  int code = 0;                ///< a natsStatus
};
using reply_table = transport::reply_table<answer>;
using awaited_reply = transport::awaited_reply<answer>;

/// Completes: when a reply was given, or its time is over (`late`).
/// Throws: Asio's `operation_aborted` if the wait is cancelled.
[[nodiscard]] asio::awaitable<answer> wait(const awaited_reply& on);
/// The same of one whose wait has ended.
[[nodiscard]] answer taken(const awaited_reply& of);

/// Requests over one connection, each answered by one message. The inbox is subscribed when it is
/// first needed. Thread-safe.
class replies {
 public:
  explicit replies(std::shared_ptr<connection> over) : over_(std::move(over)) {}
  ~replies();
  replies(const replies&) = delete;
  replies& operator=(const replies&) = delete;

  /// Sends the message, which was checked, with a reply topic of its own, and waits for the reply.
  /// After `lost` and `late`, the message may or may not have arrived. Throws as
  /// `connection::publish`.
  [[nodiscard]] asio::awaitable<answer> ask(const envelope& message, deadline until);
  /// Only sends it, for a reply of `waiting()` with this number.
  void send(const envelope& message, std::uint64_t number);

  [[nodiscard]] reply_table& waiting() const noexcept { return *table_; }

 private:
  [[nodiscard]] const std::string& inbox();

  const std::shared_ptr<connection> over_;
  const std::shared_ptr<reply_table> table_ = std::make_shared<reply_table>();
  std::mutex mutex_;  // of what follows, until it is set
  std::string inbox_;
  std::shared_ptr<subscription> subscription_;
};

/// A topic that nobody else has.
[[nodiscard]] std::string make_inbox();

/// Both connections, and their events. The transport and running waits keep it alive. Thread-safe.
class session final : public connection_listener, public std::enable_shared_from_this<session> {
 public:
  session(asio::any_io_executor executor, const options& options);

  /// Blocks; once, and before all else. Throws as `nats::open` promises.
  void connect();
  void close() noexcept;

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept {
    return events_.executor();
  }
  [[nodiscard]] const options& given() const noexcept { return options_; }
  [[nodiscard]] const std::shared_ptr<connection>& over(role which) const noexcept {
    return which == role::bulk ? bulk_ : low_latency_;
  }
  [[nodiscard]] replies& asking(role which) const noexcept {
    return which == role::bulk ? *bulk_replies_ : *low_latency_replies_;
  }
  /// How many replies are waited for.
  [[nodiscard]] std::size_t replies_awaited() const noexcept {
    return bulk_replies_->waiting().size() + low_latency_replies_->waiting().size();
  }

  /// Throws if there was no answer and none will come: closed, ended, or nothing until then.
  void check_ended(const answer& got, role which, const deadline& until,
                   const std::string& text) const;
  /// The error of something that was tried until its time was up.
  [[nodiscard]] error out_of_time(role which, const std::string& text) const;

  /// Completes after so long, or when a connection is back, or closed.
  /// Throws: `operation_aborted` if it is cancelled.
  [[nodiscard]] asio::awaitable<void> pause(duration at_most);

  void add(const std::shared_ptr<pull_consumer>& added);

  /// How many messages waited for a connection, and were then given up.
  [[nodiscard]] std::uint64_t given_up() const noexcept;

 private:
  void lost(role which, std::string text) override;
  void back(role which, std::string text) override;
  void ended(role which, std::string text) override;
  void slow(std::string subject) override;
  void failed(std::string text) override;
  [[nodiscard]] bool& away(role which) noexcept {
    return which == role::bulk ? bulk_away_ : low_latency_away_;
  }
  [[nodiscard]] std::vector<std::shared_ptr<pull_consumer>> consumers();
  void end_pauses() noexcept;
  void interrupt_replies(role which) noexcept;

  const options options_;
  events events_;
  std::shared_ptr<connection> bulk_, low_latency_;
  std::unique_ptr<replies> bulk_replies_, low_latency_replies_;
  std::atomic<bool> is_connected_{false};  // both are made, with their replies
  std::atomic<bool> closed_{false};
  std::mutex mutex_;  // of what follows
  bool bulk_away_ = false;
  bool low_latency_away_ = false;
  bool end_told_ = false;
  std::vector<std::weak_ptr<pull_consumer>> consumers_;
  exec::wait_list pauses_{mutex_};
};

}  // namespace msgbus::nats
