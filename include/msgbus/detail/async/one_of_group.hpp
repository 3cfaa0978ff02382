#pragma once

/// The components of which a producer or publisher chooses one for each message.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/pick.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace msgbus::async::detail {

using targets = std::vector<std::shared_ptr<component_core>>;

/// A route to which the components are bound. Thread-safe. Held by a `shared_ptr`.
class one_of_group final : public routing::single_route {
 public:
  /// `of` is the producer or publisher.
  one_of_group(pick_options options, const routing::single_route& of);
  ~one_of_group() override;

  void bind(const std::shared_ptr<component_core>& member);
  void unbind(component_core& member);

  /// The bound components in the order of preference for a message. Holds a guard of the group.
  class preference {
   public:
    preference(const one_of_group& of, value_ref message, std::string_view topic);
    preference(const preference&) = delete;
    preference& operator=(const preference&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] component_core& operator[](std::size_t index) const noexcept {
      return *all_[index].member;
    }

   private:
    struct candidate {
      component_core* member;
      std::uint64_t rank;  // the lowest is preferred
      std::size_t turn;    // among equals
    };

    const routing::guard guard_;
    std::array<candidate, 8> few_{};
    std::vector<candidate> many_;
    candidate* all_ = nullptr;
    std::size_t size_ = 0;
  };

  /// Whether a full one is passed over.
  [[nodiscard]] bool passes_over() const noexcept { return options_.by != pick::key; }

  /// How one is chosen: the name of the `pick`.
  [[nodiscard]] const char* chosen_by() const noexcept;

  /// Every bound component.
  void add_all(targets& to) const;

 private:
  [[nodiscard]] std::uint64_t key_hash(value_ref message, std::string_view topic) const;

  const pick_options options_;
  const void* const fan_out_;
  mutable std::atomic<std::size_t> next_{0};
};

/// The entry of a group in the route of its producer or publisher.
class group_entry final : public routing::entry {
 public:
  group_entry(std::uint64_t order, std::shared_ptr<one_of_group> group) noexcept
      : entry(order), group_(std::move(group)) {}

  /// The call of such an entry in the route. It distinguishes the entry from that of one component.
  static void mark() {}

  [[nodiscard]] std::string describe() const override { return "one of several"; }
  /// Under a guard.
  [[nodiscard]] const std::shared_ptr<one_of_group>& group() const noexcept { return group_; }

 private:
  void destroy_callable() noexcept override;

  std::shared_ptr<one_of_group> group_;
};

}  // namespace msgbus::async::detail
