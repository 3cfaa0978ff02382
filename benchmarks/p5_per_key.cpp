// P5: messages of 100 000 keys in order of their key, beside one strand for each key. The KiB
// column is the memory that the keys take: after each had a message, and while a message waits for
// each.

#include "async_buses.hpp"
#include "memory.hpp"
#include "workloads.hpp"

#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>

namespace bench {

namespace {

constexpr std::uint64_t keys = 100'000;

/// The keys are spread, so that neighbours in time are none in memory.
constexpr std::uint64_t key_of(std::uint64_t id) { return id * 7919 % keys; }

class without_order {
 public:
  explicit without_order(asio::io_context& context) : context_(context) {}
  void post(const order_created& o, std::uint64_t& handled) {
    asio::post(context_, [o, &handled] { handled += o.amount > 0 ? 1 : 0; });
  }

 private:
  asio::io_context& context_;
};

class strand_per_key {
 public:
  explicit strand_per_key(asio::io_context& context) : context_(context) {}
  void post(const order_created& o, std::uint64_t& handled) {
    auto found = strands_.find(key_of(o.id));
    if (found == strands_.end()) {
      found = strands_.emplace(key_of(o.id), context_.get_executor()).first;
    }
    asio::post(found->second, [o, &handled] { handled += o.amount > 0 ? 1 : 0; });
  }

 private:
  asio::io_context& context_;
  std::unordered_map<std::uint64_t, asio::strand<asio::io_context::executor_type>> strands_;
};

template <bool Ordered>
class consumer_of_four {
 public:
  explicit consumer_of_four(asio::io_context& context)
      : consumer_(context.get_executor(), {.capacity = keys, .concurrency = 4}) {
    if constexpr (Ordered) {
      consumer_.ordered_by<order_created>([](const order_created& o) { return key_of(o.id); });
    }
    consumer_.handler([this](const order_created& o) { *handled_ += o.amount > 0 ? 1 : 0; });
  }
  void post(const order_created& o, std::uint64_t& handled) {
    handled_ = &handled;
    (void)consumer_.post(o);
  }

 private:
  std::uint64_t* handled_ = nullptr;
  msgbus::async::consumer consumer_;
};

enum class memory { after_a_round, with_all_waiting };

template <class Kind>
class measured {
 public:
  explicit measured(memory of) {
    const double before = heap_kib();
    kind_.emplace(context_);
    for (std::uint64_t i = 0; i < keys; ++i) kind_->post({i, 9.99}, unused_);
    if (of == memory::with_all_waiting) kib_ = heap_kib() - before;
    run();
    if (of == memory::after_a_round) kib_ = heap_kib() - before;
  }

  void send(std::uint64_t messages) {
    for (std::uint64_t left = messages; left != 0;) {
      const std::uint64_t now = std::min(left, keys);
      for (std::uint64_t i = 0; i < now; ++i) kind_->post({next_++, 9.99}, handled_);
      run();
      left -= now;
    }
  }
  [[nodiscard]] std::uint64_t handled() const { return handled_; }
  [[nodiscard]] double kib() const { return kib_; }

 private:
  void run() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_{1};
  std::optional<Kind> kind_;
  std::uint64_t next_ = 0;
  std::uint64_t handled_ = 0;
  std::uint64_t unused_ = 0;
  double kib_ = 0;
};

template <class Kind>
contender measuring(std::string name, role what, memory of) {
  auto make = [of] {
    auto made = std::make_shared<measured<Kind>>(of);
    subject one;
    one.send = [made](std::uint64_t messages) { made->send(messages); };
    one.handled = [made] { return made->handled(); };
    one.grown_kib = [made] { return made->kib(); };
    return one;
  };
  return {std::move(name), what, make};
}

}  // namespace

workload p5_per_key() {
  using enum target::kind;
  const std::string waiting = ", with a message waiting for each key";
  const std::string ordered = "msgbus consumer, ordered_by";
  const std::string strands = "Asio, a strand for each key";
  workload w{"P5", "Order per key, 100 000 keys", {}, {}, "post and its handling"};
  w.sample_ms = 100;
  w.contenders = {
      measuring<without_order>("Asio, no order", role::baseline, memory::after_a_round),
      measuring<consumer_of_four<false>>("msgbus consumer, no order", role::reference,
                                         memory::after_a_round),
      measuring<consumer_of_four<true>>(ordered, role::project, memory::after_a_round),
      measuring<consumer_of_four<true>>(ordered + waiting, role::project, memory::with_all_waiting),
      measuring<strand_per_key>(strands, role::peer, memory::after_a_round),
      measuring<strand_per_key>(strands + waiting, role::peer, memory::with_all_waiting),
  };
  return w;
}

}  // namespace bench
