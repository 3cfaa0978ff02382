#include <msgbus/sync/dead_letters.hpp>

#include "sync/dead_letter_store.hpp"

#include <utility>

namespace msgbus::sync {

namespace {

/// A letter that is on its way to its handler.
class replay_of_letter {
 public:
  replay_of_letter(detail::dead_letter_store& of, std::uint64_t id)
      : store_(of), id_(id), letter_(of.begin_replay(id)) {}
  replay_of_letter(const replay_of_letter&) = delete;
  replay_of_letter& operator=(const replay_of_letter&) = delete;
  ~replay_of_letter() {
    if (letter_) store_.end_replay(id_, has_run_);
  }

  /// Whether it was handled.
  bool run() {
    if (!letter_) return false;
    const detail::letter_content& content = letter_->content;
    const std::shared_ptr<const void> component = content.in.component.lock();
    if (!component) return false;
    detail::failures failed;
    has_run_ = content.in.run(component.get(), {content.type, content.message.get()},
                              letter_->entry.topic, content.handler, failed);
    return has_run_ && failed.empty();
  }

 private:
  detail::dead_letter_store& store_;
  const std::uint64_t id_;
  const std::optional<detail::dead_letter_store::kept_letter> letter_;
  bool has_run_ = false;  // if it failed again, it is another letter
};

}  // namespace

dead_letters::dead_letters(dead_letter_options options)
    : store_(std::make_shared<detail::dead_letter_store>(std::move(options))) {}

dead_letters::~dead_letters() = default;

std::vector<dead_letter> dead_letters::snapshot() const { return store_->snapshot(); }

std::size_t dead_letters::size() const { return store_->size(); }

dead_letter_counters dead_letters::stats() const { return store_->stats(); }

std::size_t dead_letters::replay(const std::function<bool(const letter&)>& which) {
  std::size_t handled = 0;
  for (const std::uint64_t id : store_->matching(which)) {
    replay_of_letter each(*store_, id);
    if (each.run()) ++handled;
  }
  return handled;
}

std::size_t dead_letters::discard(const std::function<bool(const letter&)>& which) {
  return store_->discard(which);
}

}  // namespace msgbus::sync
