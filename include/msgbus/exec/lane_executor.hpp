#pragma once

/// The executor of what the library spawns: a strand over a component's executor, so that it can be
/// cancelled safely, which knows the mailboxes that wait for what runs on it.

#include <asio/any_io_executor.hpp>
#include <asio/execution.hpp>
#include <asio/prefer.hpp>
#include <asio/query.hpp>
#include <asio/require.hpp>

#include <memory>
#include <utility>

namespace msgbus::exec {

/// A mailbox whose lane waits for what runs here, and those that wait for that lane.
struct lineage {
  const void* mailbox;
  std::shared_ptr<const lineage> outer;
};

/// An Asio executor. Copies are the same executor.
class lane_executor {
 public:
  /// A new strand over `base`.
  lane_executor(const asio::any_io_executor& base, std::shared_ptr<const lineage> waiting);

  /// The executor that the strand is over.
  [[nodiscard]] const asio::any_io_executor& base() const noexcept { return shared_->base; }
  [[nodiscard]] const std::shared_ptr<const lineage>& waiting() const noexcept {
    return shared_->waiting;
  }

  // What Asio asks of an executor.
  template <class F>
  void execute(F&& f) const {
    inner_.execute(std::forward<F>(f));
  }
  template <class Property>
    requires(asio::can_query<asio::any_io_executor, const Property&>::value)
  decltype(auto) query(const Property& property) const {
    return asio::query(inner_, property);
  }
  template <class Property>
    requires(asio::can_require<asio::any_io_executor, const Property&>::value)
  lane_executor require(const Property& property) const {
    return lane_executor(asio::require(inner_, property), shared_);
  }
  template <class Property>
    requires(asio::can_prefer<asio::any_io_executor, const Property&>::value)
  lane_executor prefer(const Property& property) const {
    return lane_executor(asio::prefer(inner_, property), shared_);
  }
  friend bool operator==(const lane_executor& a, const lane_executor& b) noexcept {
    return a.shared_ == b.shared_ && a.inner_ == b.inner_;
  }
  friend bool operator!=(const lane_executor& a, const lane_executor& b) noexcept {
    return !(a == b);
  }

 private:
  struct shared {
    asio::any_io_executor base;
    std::shared_ptr<const lineage> waiting;
  };

  lane_executor(asio::any_io_executor inner, std::shared_ptr<const shared> with) noexcept
      : inner_(std::move(inner)), shared_(std::move(with)) {}

  asio::any_io_executor inner_;
  std::shared_ptr<const shared> shared_;
};

namespace detail {
[[nodiscard]] bool runs_on_base(const asio::any_io_executor& here,
                                const asio::any_io_executor& wanted) noexcept;
}  // namespace detail

/// Whether what runs on `here` runs on `wanted`: the same, or a strand of ours over it.
[[nodiscard]] inline bool runs_on(const asio::any_io_executor& here,
                                  const asio::any_io_executor& wanted) noexcept {
  return here == wanted || detail::runs_on_base(here, wanted);
}

/// Whether a lane of the mailbox waits for what runs on `here`.
[[nodiscard]] bool is_waited_for(const asio::any_io_executor& here, const void* mailbox) noexcept;

/// The executor for what is spawned on `wanted` by what runs on `here`. A strand where it must be
/// cancelled from outside, or where mailboxes wait for it.
[[nodiscard]] asio::any_io_executor child_executor(const asio::any_io_executor& here,
                                                   const asio::any_io_executor& wanted,
                                                   bool cancellable);

}  // namespace msgbus::exec
