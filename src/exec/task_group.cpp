#include "exec/task_group.hpp"

#include <utility>
#include <vector>

namespace msgbus::exec {

struct task_group::state final : join_state {
  struct spawned final : task {
    explicit spawned(asio::awaitable<void>&& given) noexcept : work(std::move(given)) {}

    asio::awaitable<void> begin() override { return std::move(work); }
    void drop() noexcept override { const asio::awaitable<void> dropped(std::move(work)); }

    asio::awaitable<void> work;
  };

  std::vector<std::unique_ptr<spawned>> all;  // used by the owner only
};

task_group::task_group() : state_(std::make_shared<state>()) {}
task_group::~task_group() = default;

void task_group::start(const asio::any_io_executor& on, asio::awaitable<void> work) {
  state_->all.push_back(std::make_unique<state::spawned>(std::move(work)));
  state_->start(*state_->all.back(), on);
}

asio::awaitable<void> task_group::join(when_cancelled on_cancel) { return state_->join(on_cancel); }

void task_group::cancel(asio::cancellation_type type) noexcept { state_->cancel(type); }

std::exception_ptr task_group::failure(std::size_t index) const {
  return state_->failure(*state_->all[index]);
}

bool task_group::was_given_up(std::size_t index) const {
  return state_->was_given_up(*state_->all[index]);
}

bool task_group::has_lost_context(std::size_t index) const {
  return state_->has_lost_context(*state_->all[index]);
}

std::size_t task_group::size() const noexcept { return state_->all.size(); }

}  // namespace msgbus::exec
