#include "feed.hpp"

#include <new>

namespace msgbus::nats {

namespace {

class forwarder final : public receiver {
 public:
  explicit forwarder(std::shared_ptr<transport::sink> to) : to_(std::move(to)) {}

  void stop() noexcept { stopped_ = true; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  void take(message_ptr message) noexcept override {
    if (stopped_) return;
    bool taken = false;
    try {
      envelope received = from_nats(message.get());
      message.reset();
      taken = to_->take(std::move(received), true);
    } catch (const std::bad_alloc&) {
      taken = false;  // there is no room for it: counted like any other that was refused
    }
    if (!taken && !stopped_) ++refused_;
  }

  // The sink may own the feed, so it is let go here.
  void completed(const std::exception_ptr& why) noexcept override {
    if (why && !stopped_) to_->ended(why);
    to_.reset();
  }

  std::shared_ptr<transport::sink> to_;  // for the thread that calls `take`
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> refused_{0};
};

class nats_feed final : public transport::feed {
 public:
  nats_feed(std::shared_ptr<forwarder> through, std::shared_ptr<subscription> from)
      : through_(std::move(through)), from_(std::move(from)) {}
  ~nats_feed() override { nats_feed::stop(); }

  void stop() noexcept override {
    through_->stop();
    from_->stop();
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept override {
    return through_->refused() + from_->dropped();
  }

 private:
  const std::shared_ptr<forwarder> through_;
  const std::shared_ptr<subscription> from_;
};

}  // namespace

std::unique_ptr<transport::feed> open_feed(std::shared_ptr<link> over, const std::string& pattern,
                                           const std::string& group, int pending_limit,
                                           std::shared_ptr<transport::sink> to) {
  auto through = std::make_shared<forwarder>(std::move(to));
  auto from = subscription::open(std::move(over), pattern, group, pending_limit, through);
  return std::make_unique<nats_feed>(std::move(through), std::move(from));
}

}  // namespace msgbus::nats
