#pragma once

/// Where a dispatch that has several handlers to await asks for help, in case it is suspended.

#include <asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::async::detail {

/// Who may need help.
class helped {
 public:
  /// Takes over one piece of the work, if any is left. Who has none left leaves the desk.
  virtual void help() = 0;

 protected:
  ~helped() = default;
};

/// One for each component. At most one call for help is under way on its executor, however many ask
/// and however often: in a loop that never lets the executor go on, nothing piles up. Thread-safe.
class help_desk {
 public:
  /// From now until `leave`, and soon on the executor, `who` is helped. `keep` is what this is in.
  void ask(const asio::any_io_executor& on, std::shared_ptr<helped> who,
           std::shared_ptr<const void> keep);
  void leave(const helped& who) noexcept;

 private:
  void call(const asio::any_io_executor& on, std::shared_ptr<const void> keep);
  bool run();

  std::mutex mutex_;
  std::vector<std::shared_ptr<helped>> asking_;
  bool called_ = false;
};

}  // namespace msgbus::async::detail
