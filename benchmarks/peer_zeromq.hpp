#pragma once

/// Sockets of ZeroMQ inside one process, as its guide has them between threads.

#include "across.hpp"

#ifdef MSGBUS_BENCH_WITH_ZEROMQ

#include <zmq.hpp>

#include <cstring>
#include <thread>
#include <vector>

namespace bench {

/// PUSH to PULL over inproc, one PUSH for each producer since sockets are for one thread each.
/// Without bounds, which is quicker than with those that sockets have by default. A message this
/// small is within the zmq_msg_t, so it is not allocated.
class zeromq_push {
 public:
  static constexpr const char* name = "ZeroMQ inproc, PUSH to PULL";
  static constexpr role what = role::peer;

  zeromq_push(tally& count, unsigned producers, unsigned core) : pull_(context_, ZMQ_PULL) {
    pull_.set(zmq::sockopt::rcvhwm, 0);
    pull_.bind(address);
    for (unsigned i = 0; i < producers; ++i) {
      push_.emplace_back(context_, ZMQ_PUSH);
      push_.back().set(zmq::sockopt::sndhwm, 0);
      push_.back().connect(address);
    }
    receiver_ = std::thread([this, &count, core] {
      stay_on(core);
      for (;;) {
        zmq::message_t message;
        if (!pull_.recv(message) || message.size() == 0) return;
        order_created event;
        std::memcpy(&event, message.data(), sizeof event);
        count.handled(event);
      }
    });
  }
  ~zeromq_push() {
    push_.front().send(zmq::message_t(), zmq::send_flags::none);
    receiver_.join();
  }
  zeromq_push(const zeromq_push&) = delete;

  void send(unsigned producer, const order_created& event) {
    push_[producer].send(zmq::buffer(&event, sizeof event), zmq::send_flags::none);
  }

 private:
  static constexpr const char* address = "inproc://orders";

  zmq::context_t context_{0};  // inproc needs no thread of ZeroMQ's
  zmq::socket_t pull_;
  std::vector<zmq::socket_t> push_;
  std::thread receiver_;
};

}  // namespace bench

#endif
