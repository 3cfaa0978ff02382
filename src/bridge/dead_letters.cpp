#include <msgbus/bridge/dead_letters.hpp>

#include <msgbus/detail/bridge/call.hpp>
#include <msgbus/error.hpp>

#include "bridge/stored_letter.hpp"
#include "core/text.hpp"

#include <asio/this_coro.hpp>

#include <optional>

namespace msgbus {

namespace {

using letter_filter = std::function<bool(const stored_dead_letter&)>;

/// After so many messages a stream without a dead letter is taken to be another one.
constexpr std::size_t most_others = 1000;

/// A dead letter that was chosen.
struct chosen_letter {
  std::uint64_t id = 0;
  std::string stream;
  std::string durable;
  std::string missing;
};

/// Reads the dead letters of a stream, the oldest first.
class letter_reader {
 public:
  letter_reader(std::shared_ptr<bridging::hub> over, std::string stream)
      : hub_(std::move(over)), stream_(std::move(stream)) {}

  /// Completes: with the next one; empty if there is none. Throws `bad_arguments` if there never
  /// was one, but other messages.
  asio::awaitable<std::optional<stored_dead_letter>> next() {
    std::optional<stored_dead_letter> result;
    while (!result && others_ < most_others) {
      auto reading = hub_->wire->read(stream_, from_);
      std::optional<transport::stored_message> one = co_await std::move(reading);
      if (!one) break;
      from_ = one->sequence + 1;
      const std::string why_not = bridging::why_no_letter(*one);
      if (why_not.empty()) {
        has_letters_ = true;
        result = bridging::read_letter(std::move(*one));
      } else if (!has_letters_) {
        ++others_;
        if (first_other_.empty()) describe_other(*one, why_not);
      }
    }
    if (!result && !has_letters_ && others_ != 0) {
      throw error(errc::bad_arguments, "the dead letters of stream '" + stream_ +
                                           "' were asked for, and it has none: " + first_other_);
    }
    co_return result;
  }

 private:
  void describe_other(const transport::stored_message& one, const std::string& why_not) {
    first_other_ = "its message " + std::to_string(one.sequence) + " on '" +
                   detail::shortened(one.message.topic, 80) + "' " + why_not;
  }

  const std::shared_ptr<bridging::hub> hub_;
  const std::string stream_;
  std::uint64_t from_ = 1;
  bool has_letters_ = false;
  std::size_t others_ = 0;  // before the first one
  std::string first_other_;
};

asio::awaitable<std::vector<stored_dead_letter>> read_all(std::shared_ptr<bridging::hub> over,
                                                          std::string stream, std::size_t most) {
  std::vector<stored_dead_letter> all;
  letter_reader reader(std::move(over), std::move(stream));
  while (all.size() < most) {
    auto reading = reader.next();
    std::optional<stored_dead_letter> one = co_await std::move(reading);
    if (!one) break;
    all.push_back(std::move(*one));
  }
  co_return all;
}

asio::awaitable<std::vector<chosen_letter>> choose(std::shared_ptr<bridging::hub> over,
                                                   std::string stream, letter_filter which) {
  std::vector<chosen_letter> all;
  letter_reader reader(std::move(over), std::move(stream));
  for (;;) {
    auto reading = reader.next();
    std::optional<stored_dead_letter> one = co_await std::move(reading);
    if (!one) break;
    if (which && !which(*one)) continue;
    all.push_back(
        {one->id, std::move(one->stream), std::move(one->durable), std::move(one->missing)});
  }
  co_return all;
}

/// Has the link replay it. Throws if there is none, or no answer.
asio::awaitable<bridging::replay_result> ask_link(std::shared_ptr<bridging::hub> over,
                                                  std::string stream, const chosen_letter& one,
                                                  std::chrono::steady_clock::duration timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  envelope request{bridging::replay_topic(one.stream, one.durable)};
  request.payload = bridging::write_request({std::move(stream), one.id});
  bridging::call asked(std::move(over), std::move(request),
                       {bridging::replay_prefix.size(), timeout, false, nullptr});
  asked.start(here);
  co_await asked.wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  const envelope answer = asked.take(state);
  bridging::replay_result result = bridging::read_result(answer.payload);
  co_return result;
}

/// The outcomes of the dead letters of one call.
class replay_count {
 public:
  explicit replay_count(std::string stream) : stream_(std::move(stream)) {}

  void handled() noexcept { ++handled_; }
  void failed() noexcept { ++failed_; }
  void stays(const chosen_letter& one, errc code, const std::string& why) {
    constexpr std::size_t most_named = 5;
    if (stay_ == 0) code_ = code;
    if (++stay_ <= most_named) text_ += "; " + std::to_string(one.id) + " stays: " + why;
    if (stay_ == most_named + 1) text_ += "; ...";
  }

  /// Throws if one stays.
  [[nodiscard]] std::size_t result() const {
    if (stay_ == 0) return handled_;
    const std::size_t all = handled_ + failed_ + stay_;
    throw error(code_, "replay of " + std::to_string(all) + " dead letters of stream '" + stream_ +
                           "': " + std::to_string(handled_) + " handled, " +
                           std::to_string(failed_) + " failed again, " + std::to_string(stay_) +
                           " stay" + text_);
  }

 private:
  const std::string stream_;
  std::size_t handled_ = 0;
  std::size_t failed_ = 0;
  std::size_t stay_ = 0;
  errc code_{};  // of the first that stays
  std::string text_;
};

asio::awaitable<void> replay_one(std::shared_ptr<bridging::hub> over, std::string stream,
                                 const chosen_letter& one,
                                 std::chrono::steady_clock::duration timeout, replay_count& count) {
  if (!one.missing.empty()) {
    count.stays(one, errc::bad_arguments, "it was shortened, and lacks its " + one.missing);
    co_return;
  }
  bridging::replay_result result;
  std::optional<errc> code;
  try {
    auto asking = ask_link(std::move(over), std::move(stream), one, timeout);
    result = co_await std::move(asking);
  } catch (const error& e) {
    if (e.code() == errc::no_handler) {
      code = errc::no_handler;
      result.why =
          "no process has an active link with the " + bridging::link_name(one.stream, one.durable);
    } else if (e.code() == errc::timed_out) {
      code = errc::timed_out;
      result.why = "the " + bridging::link_name(one.stream, one.durable) +
                   " is not done with it; it is removed when it has been handled";
    } else {
      throw;
    }
  }
  switch (result.end) {
    case bridging::replay_end::handled: count.handled(); break;
    case bridging::replay_end::failed: count.failed(); break;
    case bridging::replay_end::stays:
      count.stays(one, code.value_or(errc::remote_failed), result.why);
  }
}

asio::awaitable<std::size_t> replay_all(std::shared_ptr<bridging::hub> over, std::string stream,
                                        letter_filter which,
                                        std::chrono::steady_clock::duration timeout) {
  auto choosing = choose(over, stream, std::move(which));
  const std::vector<chosen_letter> chosen = co_await std::move(choosing);
  replay_count count(stream);
  for (const chosen_letter& each : chosen) {
    auto replaying = replay_one(over, stream, each, timeout, count);
    co_await std::move(replaying);
  }
  co_return count.result();
}

asio::awaitable<std::size_t> discard_all(std::shared_ptr<bridging::hub> over, std::string stream,
                                         letter_filter which) {
  auto choosing = choose(over, stream, std::move(which));
  const std::vector<chosen_letter> chosen = co_await std::move(choosing);
  std::size_t removed = 0;
  for (const chosen_letter& each : chosen) {
    auto removing = over->wire->erase(stream, each.id);
    const bool was_there = co_await std::move(removing);
    if (was_there) ++removed;
  }
  co_return removed;
}

}  // namespace

asio::awaitable<std::vector<stored_dead_letter>> bridge_dead_letters::snapshot(
    std::size_t most) const {
  return read_all(hub_, stream_, most);
}

asio::awaitable<std::size_t> bridge_dead_letters::replay(
    std::function<bool(const letter&)> which) const {
  return replay_all(hub_, stream_, std::move(which), timeout_);
}

asio::awaitable<std::size_t> bridge_dead_letters::discard(
    std::function<bool(const letter&)> which) const {
  return discard_all(hub_, stream_, std::move(which));
}

}  // namespace msgbus
