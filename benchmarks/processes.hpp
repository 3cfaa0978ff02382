#pragma once

/// Other processes for the workloads over NATS: this program, executed again. They are killed when
/// `processes` is destroyed, and when their parent dies.

#include "over_nats.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include <semaphore.h>
#include <sys/types.h>

namespace bench {

/// What a child does.
enum class child_role {
  member,          // a consumer with an inbound link, a producer with an outbound link
  inbound_links,   // many inbound links, to measure the memory of each
  outbound_links,  // the same with outbound links
};

/// In memory that a child shares with its parent.
struct alignas(64) child_state {
  sem_t go{};                                // the parent posts it: send so many messages
  std::atomic<std::uint64_t> to_send{0};     // by the parent
  std::atomic<std::uint64_t> goal{0};        // by the parent: `done` is posted when it is reached
  std::atomic<std::uint64_t> handled{0};     // by the child
  std::atomic<std::uint64_t> latency_ns{0};  // by the child: of the last message
  std::atomic<double> kib_a_link{0};         // by the child
};

/// The same for all of them.
struct shared_state {
  sem_t done{};  // each child posts it once when it is ready, and at each goal
  child_role what{};
  unsigned count = 0;
  char url[64] = "";
  char name[64] = "";
};

/// A blob that says when it was made, on a clock that all processes share.
[[nodiscard]] blob made_now();
/// How long ago that was, in nanoseconds.
[[nodiscard]] std::uint64_t age(const blob& of);

class processes {
 public:
  /// Returns when all of them are connected and the server knows of their links.
  processes(child_role what, unsigned count);
  ~processes();
  processes(const processes&) = delete;

  [[nodiscard]] unsigned count() const noexcept { return count_; }
  [[nodiscard]] child_state& operator[](unsigned index) const noexcept { return states_[index]; }
  /// Returns when all of them have reached their goals. Ends the program if that seems never to be.
  void wait_for_goals() const;
  /// Events go from the parent to its members with this prefix.
  [[nodiscard]] std::string prefix_out() const;
  /// Events go from the members to their parent with this prefix.
  [[nodiscard]] std::string prefix_in() const;

 private:
  void start(int memory, unsigned index);

  const unsigned count_;
  std::size_t size_ = 0;
  shared_state* all_ = nullptr;
  child_state* states_ = nullptr;
  std::vector<pid_t> ids_;
};

/// The hidden argument of a child.
inline constexpr const char* child_argument = "--child";
/// The main function of a child: does not return.
[[noreturn]] void run_child(const char* memory, const char* index);

}  // namespace bench
