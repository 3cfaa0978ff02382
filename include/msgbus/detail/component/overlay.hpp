#pragma once

/// The fast path with overrides. It applies if no needed override cleans up, and each depends only
/// on earlier dependencies: the compile-time order is then still valid. All overrides are looked up
/// first; then each dependency is called in that order, or the override in its place.

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/component/resolve.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace msgbus::component {

/// Stores the value of one dependency while the rest runs.
template <class Given>
class kept {
  using value = std::remove_cv_t<Given>;
  static constexpr bool is_trivial = std::is_trivially_destructible_v<value>;

 public:
  kept() noexcept {}  // NOLINT(modernize-use-equals-default)
  ~kept() {
    if constexpr (!is_trivial) {
      if (made_) std::destroy_at(made_);
    }
  }
  kept(const kept&) = delete;
  kept& operator=(const kept&) = delete;

  /// Constructs the result of the call in storage, without a conversion: a type such as `std::any`
  /// would store the converted object instead of the result.
  template <class Call>
  void* make(Call call) {
    return made(::new (storage()) value(call()));
  }

  [[nodiscard]] void* storage() noexcept { return place_; }

  /// Takes ownership of the value, if it was constructed in the storage.
  void* made(void* at) noexcept {
    if constexpr (!is_trivial) {
      if (at == place_) made_ = static_cast<value*>(at);
    }
    return at;
  }

 private:
  alignas(value) std::byte place_[sizeof(value)];
  [[no_unique_address]] std::conditional_t<is_trivial, no_values, value*> made_{};
};

/// A reference needs no storage.
template <class Given>
  requires std::is_reference_v<Given>
class kept<Given> {
 public:
  template <class Call>
  void* make(Call call) {
    return erased(std::addressof(call()));
  }
  [[nodiscard]] static void* storage() noexcept { return nullptr; }
  static void* made(void* at) noexcept { return at; }
};

/// One bit for each dependency of `before` that is needed. 0 if one that is not in `before` is
/// needed.
[[nodiscard]] std::uint64_t mask_of_needs(std::span<const dependency_info* const> needs,
                                          std::span<const dependency_info* const> before) noexcept;

template <class Order, class Named>
class overlay;

/// `Ds` are in order, without clean-up. `Named` are the dependencies of the handler itself.
template <const auto&... Ds, class Named>
class overlay<type_list<dependency<Ds>...>, Named> {
  static constexpr std::size_t size = sizeof...(Ds);
  using mask = std::uint64_t;
  using order = type_list<dependency<Ds>...>;

 public:
  /// The limit for the number of dependencies.
  static constexpr std::size_t limit = 64;

  explicit overlay(const provider_state& overrides) noexcept : overrides_(overrides) {}

  /// Whether every needed override is direct and depends only on earlier ones, and every needed
  /// `required` is overridden. Call it before `resolve`.
  [[nodiscard]] bool fits() noexcept { return find(order{}); }

  /// Runs `rest` with the values.
  template <class Rest>
  decltype(auto) resolve(Rest& rest) {
    std::array<void*, size> values;
    return resolve(order{}, values.data(), rest);
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

  static constexpr std::array<const dependency_info*, size> infos{&info_of<Ds>...};

  bool find(type_list<>) noexcept { return true; }
  // From the last to the first: needs of unused dependencies do not count.
  template <const auto& D, class... More>
  bool find(type_list<dependency<D>, More...>) noexcept {
    constexpr std::size_t i = size - 1 - sizeof...(More);
    if (!find(type_list<More...>{})) return false;
    if (!is_needed(i)) return true;
    using own_needs = named_by_entity<typename dependency<D>::entity>;
    found_[i] = overrides_.find(identity_of(D));
    if (found_[i]) {
      const direct_call& direct = found_[i]->direct;
      if (!direct.get) return false;
      if (direct.needs.empty()) return true;
      if (direct.needs.data() != infos_of<own_needs>.data()) {
        const mask more = mask_of_needs(direct.needs, {infos.data(), i});
        needed_ |= more;
        return more != 0;
      }
    } else if (form_of_dependency<dependency<D>>::kind == shape::required) {
      return false;
    }
    needed_ |= mask_of(own_needs{});
    return true;
  }

  [[nodiscard]] bool is_needed(std::size_t i) const noexcept { return (needed_ >> i & 1) != 0; }

  template <class Rest>
  decltype(auto) resolve(type_list<>, void** values, Rest& rest) {
    return rest(erased_values<order>{values});
  }

  template <const auto& D, class... More, class Rest>
  decltype(auto) resolve(type_list<dependency<D>, More...>, void** values, Rest& rest) {
    constexpr std::size_t i = size - 1 - sizeof...(More);
    using form = form_of_dependency<dependency<D>>;
    constexpr bool is_required = form::kind == shape::required;
    using given = std::conditional_t<is_required, value_of<decltype(D)>&, typename form::provided>;
    kept<given> value;
    if (found_[i]) {
      values[i] =
          value.made(found_[i]->direct.get(*found_[i], {infos.data(), values}, value.storage()));
    } else if constexpr (!is_required) {
      if (is_needed(i)) {
        values[i] = value.make([&]() -> given {
          return call_plain(D, erased_values<order>{values}, typename form::needs{});
        });
      }
    }
    return resolve(type_list<More...>{}, values, rest);
  }

  const provider_state& overrides_;
  std::array<implementation*, size> found_{};
  mask needed_ = mask_of(Named{});
};

}  // namespace msgbus::component
