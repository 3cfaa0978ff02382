#include "durable/jobs.hpp"

#include "durable/database_core.hpp"

namespace msgbus::durable::detail {

namespace {

constexpr std::size_t released_together = 256;
// Of a step of the clean-up.
constexpr std::size_t ids_together = 16'384;  // for each of them the whole outbox is read once
constexpr std::size_t messages_together = 10'000;

}  // namespace

// --- The end of a delivery. ---

void mark_job::run(outbox& in) {
  of_->take_handled(handled_);
  for (const std::int64_t each : handled_) in.erase(each);
}

void mark_job::committed(exec::event_batch&) noexcept {
  of_->gone(handled_);
  core_.count(core_.delivered, handled_.size());
  core_.has_space(of_);
}

void mark_job::failed(const std::exception_ptr& why) noexcept {
  core_.repeat_later(shared_from_this(), why);
}

settlement_job::pointer settlement_job::again(database_core& in, std::shared_ptr<destination> of,
                                              std::int64_t seq, std::int64_t attempts,
                                              std::int64_t due, std::optional<std::string> key) {
  auto made = std::make_shared<settlement_job>(in, kind::again, std::move(of), seq);
  made->attempts_ = attempts;
  made->due_ = due;
  made->key_ = std::move(key);
  return made;
}

settlement_job::pointer settlement_job::dead_letter(database_core& in,
                                                    std::shared_ptr<destination> of,
                                                    std::int64_t seq, std::int64_t attempts,
                                                    std::string reason) {
  auto made = std::make_shared<settlement_job>(in, kind::dead_letter, std::move(of), seq);
  made->attempts_ = attempts;
  made->reason_ = std::move(reason);
  return made;
}

void settlement_job::run(outbox& in) {
  step("settlement: before");
  if (kind_ == kind::again) {
    in.reschedule(seq_, attempts_, due_, key_);
  } else {
    in.move_to_dead_letters(seq_, reason_, attempts_, to_file(wall_clock::now()));
  }
  step("settlement: after");
}

void settlement_job::committed(exec::event_batch&) noexcept {
  of_->gone({&seq_, 1});
  core_.count(kind_ == kind::again ? core_.retried : core_.dead_lettered);
  core_.has_space(of_);
}

void settlement_job::failed(const std::exception_ptr& why) noexcept {
  core_.repeat_later(shared_from_this(), why);
}

// --- Messages that are due. ---

void release_job::run(outbox& in) {
  released_ = in.release_due(to_file(wall_clock::now()), released_together);
}

void release_job::committed(exec::event_batch&) noexcept { core_.deliver(std::move(released_)); }

void release_job::failed(const std::exception_ptr& why) noexcept { core_.pause_release(why); }

// --- Dead letters. ---

void letter_job::run(outbox& in) {
  if (kind_ == kind::replay) {
    replayed_ = in.replay(id_);
    was_there = replayed_.has_value();
  } else {
    was_there = in.discard(id_);
  }
}

void letter_job::committed(exec::event_batch& waiting) noexcept {
  if (replayed_) {
    std::vector<message_row> rows;
    rows.push_back(std::move(*replayed_));
    core_.deliver(std::move(rows));
  }
  waiting.set(ended.done);
}

// --- Old ids. ---

void clean_up_job::run(outbox& in) {
  step("clean-up: before");
  has_more_ = in.clean_up(to_file(wall_clock::now()), ids_together, messages_together);
  step("clean-up: after");
}

void clean_up_job::committed(exec::event_batch&) noexcept { core_.cleaned_up(has_more_); }

void clean_up_job::failed(const std::exception_ptr& why) noexcept {
  core_.report("the clean-up", why);
  core_.cleaned_up(false);
}

}  // namespace msgbus::durable::detail
