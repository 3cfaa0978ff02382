#include "links.hpp"

#include "memory.hpp"

namespace bench {

struct many_links::parts {
  arrivals handled;
  asio::io_context here{1};
  roaming_context there;
  msgbus::async::publisher from;
  msgbus::async::subscriber to{there.executor()};
  msgbus::bridge out, in;
  const std::string name;
  unsigned links = 0;
  std::uint64_t next = 0;

  parts(const std::string& url, std::string called)
      : out(connected(here.get_executor(), url)),
        in(connected(there.executor(), url)),
        name(std::move(called)) {}

  [[nodiscard]] std::string topic(std::uint64_t number) const {
    return name + '.' + std::to_string(number);
  }
  void subscribe(const std::string& pattern) {
    to.subscribe(pattern, [this](const blob& message) {
      (void)opaque(&message);
      handled.handled();
    });
  }
  void add_inbound() {
    const std::string one = topic(links++);
    subscribe(one);
    in.inbound<blob>(to, one);
  }
  void add_outbound() { out.outbound<blob>(from, topic(links++)); }

  asio::awaitable<void> send_all(std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i, ++next) {
      const blob message(next);
      auto sending = from.send(message, topic(next % links));
      (void)co_await std::move(sending);
    }
  }
  void send(std::uint64_t messages) {
    handled.expect(messages);
    run_here(here, send_all(messages));
    handled.wait();
  }
};

many_links::many_links(bool inbound, const std::string& url, const std::string& name)
    : parts_(std::make_unique<parts>(url, name)) {
  const std::string all = name + ".*";
  if (inbound) {
    parts_->out.outbound<blob>(parts_->from, all);
  } else {
    parts_->subscribe(all);
    parts_->in.inbound<blob>(parts_->to, all);
  }
  const auto add = [&] {
    if (inbound) {
      parts_->add_inbound();
    } else {
      parts_->add_outbound();
    }
  };
  add();
  flush(parts_->in);
  parts_->send(count);
  const double before = resident_kib();
  for (unsigned i = 0; i < count; ++i) add();
  flush(parts_->in);
  parts_->next = 0;
  parts_->send(parts_->links);
  kib_a_link_ = (resident_kib() - before) / count;
}

many_links::~many_links() = default;

void many_links::send(std::uint64_t messages) { parts_->send(messages); }

}  // namespace bench
