#pragma once

/// Many links in one process, and the memory that each takes.

#include "over_nats.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

/// The process should have done nothing else before: its resident memory is measured.
class many_links {
 public:
  static constexpr unsigned count = 1000;

  many_links(bool inbound, const std::string& url, const std::string& name);
  ~many_links();
  many_links(const many_links&) = delete;

  /// With the handler or mailbox that belongs to it, after its first message.
  [[nodiscard]] double kib_a_link() const noexcept { return kib_a_link_; }
  /// Sends so many, over one link after the other, and returns when they are handled.
  void send(std::uint64_t messages);

 private:
  struct parts;

  std::unique_ptr<parts> parts_;
  double kib_a_link_ = 0;
};

}  // namespace bench
