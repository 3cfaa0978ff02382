#pragma once

/// The third way of resolution: where every override in reach gives its value directly, needing
/// and keeping nothing, the order known when compiling still holds. The overrides are looked up
/// first, and then laid over it.

#include <msgbus/di/provider_state.hpp>
#include <msgbus/di/resolve.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace msgbus::di {

/// The result of a call, made where it is kept. No conversion takes part, which a type with a
/// constructor from anything, like `std::any`, would keep instead of the result.
template <class T>
struct made_in_place {
  template <class Call>
  made_in_place(std::in_place_t, Call& call) : value(call()) {}
  T value;
};

/// Keeps what a default gives for as long as the rest runs.
template <class Given>
class kept {
 public:
  template <class Call>
  auto* make(Call call) {
    if constexpr (std::is_reference_v<Given>) {
      return std::addressof(call());
    } else {
      value_.emplace(std::in_place, call);
      return std::addressof(value_->value);
    }
  }

 private:
  std::conditional_t<std::is_reference_v<Given>, no_values, std::optional<made_in_place<Given>>>
      value_{};
};

template <class Order, class Named>
class overlay;

/// `Ds` are in order, and none of them cleans up; `Named` is what the handler itself names.
template <const auto&... Ds, class Named>
class overlay<type_list<dependency<Ds>...>, Named> {
  static constexpr std::size_t size = sizeof...(Ds);
  using mask = std::uint64_t;

 public:
  /// How many dependencies there may be.
  static constexpr std::size_t limit = 64;

  explicit overlay(const provider_state& overrides) noexcept
      : found_{overrides.find(identity_of(Ds))...} {}

  /// Whether every override that was found is direct, and every `required` that is needed was.
  [[nodiscard]] bool fits() noexcept {
    needed_ = mask_of(Named{});
    for (std::size_t i = size; i-- > 0;) {
      if (found_[i]) {
        if (!found_[i]->direct) return false;
      } else if ((needed_ >> i & 1) != 0) {
        if (is_required_at[i]) return false;
        needed_ |= needs_of[i];  // what only an overridden one would need is not needed
      }
    }
    return true;
  }

  /// Runs `rest` with the values.
  template <class Rest>
  decltype(auto) resolve(Rest& rest) const {
    return resolve_from<0>(type_list<dependency<Ds>...>{}, no_values{}, rest);
  }

 private:
  template <class D>
  static constexpr std::size_t index_of() {
    constexpr std::array<bool, size> is{std::is_same_v<D, dependency<Ds>>...};
    std::size_t i = 0;
    while (!is[i]) ++i;
    return i;
  }

  template <class... Es>
  static constexpr mask mask_of(type_list<Es...>) {
    return (mask{0} | ... | (mask{1} << index_of<Es>()));
  }

  template <class D>
  static constexpr mask needs() {
    return mask_of(typename named_by<typename form_of_dependency<D>::needs>::type{});
  }

  static constexpr std::array<mask, size> needs_of{needs<dependency<Ds>>()...};
  static constexpr std::array<bool, size> is_required_at{
      (form_of_dependency<dependency<Ds>>::kind == shape::required)...};

  template <std::size_t I, class Values, class Rest>
  decltype(auto) resolve_from(type_list<>, const Values& all, Rest& rest) const {
    return rest(all);
  }

  template <std::size_t I, const auto& D, class... More, class Values, class Rest>
  decltype(auto) resolve_from(type_list<dependency<D>, More...>, const Values& all,
                              Rest& rest) const {
    using form = form_of<std::remove_cvref_t<decltype(D)>>;
    using V = value_of<decltype(D)>;
    values<D, Values> more{nullptr, all};
    kept<typename form::provided> value;
    if (found_[I]) {
      more.value = static_cast<V*>(found_[I]->direct(*found_[I]));
    } else if constexpr (form::kind != shape::required) {
      if ((needed_ >> I & 1) != 0) {
        more.value = value.make([&]() -> typename form::provided {
          return call_plain(D, all, typename form::needs{});
        });
      }
    }
    return resolve_from<I + 1>(type_list<More...>{}, more, rest);
  }

  std::array<implementation*, size> found_;
  mask needed_ = 0;
};

}  // namespace msgbus::di
