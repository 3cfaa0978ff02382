#pragma once

/// What is under way, for whoever waits until nothing is.

#include <msgbus/exec/waiter.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace msgbus::bridging {

/// Thread-safe. Owned by shared pointer, since what is under way may outlive everything else.
class activity : public std::enable_shared_from_this<activity> {
 public:
  /// One thing under way, until it is destroyed.
  class token {
   public:
    token() = default;
    explicit token(std::shared_ptr<activity> in) : in_(std::move(in)) { in_->begin(); }
    token(token&& other) noexcept : in_(std::move(other.in_)) {}
    token& operator=(token&& other) noexcept {
      std::swap(in_, other.in_);
      return *this;
    }
    ~token() {
      if (in_) in_->end();
    }

   private:
    std::shared_ptr<activity> in_;
  };

  [[nodiscard]] token start() { return token(shared_from_this()); }
  [[nodiscard]] std::size_t under_way() const;

  /// Completes with true when nothing is under way, with false when the time is over. The caller
  /// resumes on its own executor. Cancelled it throws Asio's `operation_aborted`.
  static asio::awaitable<bool> rest(std::shared_ptr<activity> self,
                                    std::chrono::steady_clock::duration at_most);

 private:
  struct pause {
    exec::waiter over;
  };
  void begin();
  void end() noexcept;

  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  std::list<std::weak_ptr<pause>> waiting_;
};

}  // namespace msgbus::bridging
