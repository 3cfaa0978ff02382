#include <msgbus/detail/observe/outcomes.hpp>

namespace msgbus::detail {

namespace {

constinit std::atomic<unsigned> taken{0};  // one bit for each stripe

/// Gives the stripe back when the thread ends. The release orders its counts before those of a
/// later owner.
struct membership {
  std::size_t stripe = own_stripes;
  ~membership() {
    this_stripe = own_stripes;
    if (stripe < own_stripes) taken.fetch_and(~(1U << stripe), std::memory_order_release);
  }
};
thread_local membership this_membership;

}  // namespace

constinit thread_local std::size_t this_stripe = own_stripes + 1;

std::size_t claim_stripe() noexcept {
  unsigned now = taken.load(std::memory_order_relaxed);
  for (std::size_t each = 0; each < own_stripes; ++each) {
    while ((now & (1U << each)) == 0) {
      if (taken.compare_exchange_weak(now, now | (1U << each), std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        this_membership.stripe = each;
        return this_stripe = each;
      }
    }
  }
  return this_stripe = own_stripes;
}

striped_counter::striped_counter() noexcept = default;
striped_counter::~striped_counter() = default;

void striped_counter::add() noexcept { counts_.add(0); }

std::uint64_t striped_counter::sum() const noexcept { return counts_.sum(0); }

}  // namespace msgbus::detail
