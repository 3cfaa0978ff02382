#include "crew.hpp"

namespace bench {

crew::crew(unsigned threads, std::function<void(std::uint64_t)> send_some)
    : send_some_(std::move(send_some)) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

crew::~crew() {
  over_ = true;
  ++go_;
  go_.notify_all();
  for (std::thread& each : threads_) each.join();
}

void crew::send(std::uint64_t messages) {
  const auto threads = static_cast<unsigned>(threads_.size());
  share_ = messages / threads;
  left_ = threads;
  ++go_;
  go_.notify_all();
  for (unsigned left = left_; left > 0; left = left_) left_.wait(left);
}

void crew::work() {
  for (unsigned last = 0;;) {
    go_.wait(last);
    last = go_;
    if (over_) return;
    const std::uint64_t allocated = allocations_here();
    const std::uint64_t handled = handled_here;
    send_some_(share_);
    handled_ += handled_here - handled;
    add_allocations(allocations_here() - allocated);
    if (--left_ == 0) left_.notify_one();
  }
}

}  // namespace bench
