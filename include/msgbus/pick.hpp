#pragma once

/// The choice of one of several bound components for a message.

#include <msgbus/detail/exec/key_rule.hpp>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <utility>
#include <vector>

namespace msgbus {

/// The rule by which `bind_one_of` chooses a component for a message. Closed components are passed
/// over. Full ones are too, except with `key`.
enum class pick : std::uint8_t {
  round_robin,    ///< each in turn
  least_waiting,  ///< the one with the fewest messages that wait or are handled; among equals, each
                  ///< in turn
  key             ///< always the same one for a key, full or not, as long as it is open
};
std::ostream& operator<<(std::ostream& out, pick value);

/// A function that makes the key of messages of one type, for `pick_options::keys`. Made by
/// `by_key`.
class key_function {
 public:
  /// For the library.
  explicit key_function(std::shared_ptr<const exec::key_rule> rule) noexcept
      : rule_(std::move(rule)) {}

  /// For the library.
  [[nodiscard]] const exec::key_rule& rule() const noexcept { return *rule_; }

 private:
  std::shared_ptr<const exec::key_rule> rule_;
};

/// The key of messages of type `M`: `by_key<order>([](const order& o) { return o.account; })`. As
/// in `consumer::ordered_by`, the function returns a number, a string, or a type with `std::hash`
/// and `==`; it may take the topic as a second parameter.
template <class M, class F>
[[nodiscard]] key_function by_key(F f) {
  return key_function(std::make_shared<const exec::key_rule_by<M, F>>(std::move(f)));
}

/// The options of `bind_one_of`.
struct pick_options {
  pick by = pick::round_robin;          ///< how the component is chosen
  std::vector<key_function> keys = {};  ///< for `pick::key`; a type without one is a key of its own
};

namespace async {
using msgbus::by_key;
using msgbus::key_function;
using msgbus::pick;
using msgbus::pick_options;
}  // namespace async

}  // namespace msgbus
