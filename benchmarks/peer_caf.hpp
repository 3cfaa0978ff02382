#pragma once

/// Actors of CAF, event-based as its manual recommends, on one thread of its scheduler.

#include "across.hpp"

#ifdef MSGBUS_BENCH_WITH_CAF

#include <caf/all.hpp>

#include <cstdint>
#include <string>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bench::order_created)

namespace bench {

/// An actor system with one worker. Work is shared rather than stolen: with one worker there is
/// nobody to steal from, and a worker that looks for work to steal sleeps up to 10 ms between two
/// looks, while one that shares is woken at once.
class caf_system {
 public:
  caf::actor_system& operator*() noexcept { return system_; }
  caf::actor_system* operator->() noexcept { return &system_; }

 private:
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.max-threads", std::size_t{1});
      set("scheduler.policy", caf::atom("sharing"));
    }
  };
  config config_;
  caf::actor_system system_{config_};
};

/// An actor whose mailbox has no bound, to which a thread that is no actor sends.
class caf_actor {
 public:
  static constexpr const char* name = "CAF actor";
  static constexpr role what = role::peer;

  caf_actor(tally& count, unsigned /*producers*/, unsigned core)
      : actor_(system_->spawn([&count, core](caf::event_based_actor*) -> caf::behavior {
          stay_on(core);  // the worker's thread, which this runs on
          return {[&count](const order_created& event) { count.handled(event); }};
        })) {}
  ~caf_actor() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  caf_actor(const caf_actor&) = delete;

  void send(unsigned /*producer*/, const order_created& event) { caf::anon_send(actor_, event); }

 private:
  caf_system system_;
  caf::actor actor_;
};

}  // namespace bench

#endif
