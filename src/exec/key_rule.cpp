#include <msgbus/detail/exec/key_rule.hpp>

#include <msgbus/detail/core/hash.hpp>

namespace msgbus::exec {

namespace {

class message_of_type final : public keyed_message {
 public:
  explicit message_of_type(type_key type)
      : keyed_message(key_of<message_of_type>, hash_of_type(type)), type_(type) {}

 private:
  [[nodiscard]] bool equals(const keyed_message& other) const override {
    return is_same_type(type_, static_cast<const message_of_type&>(other).type_);
  }

  const type_key type_;
};

}  // namespace

key_rule::~key_rule() = default;

keyed_ptr key_of_type(type_key type) { return std::make_unique<message_of_type>(type); }

std::size_t hash_of_type(type_key type) noexcept { return type->hash; }

keyed_ptr key_of_failure(type_key type) {
  keyed_ptr made = key_of_type(type);
  made->failure = std::current_exception();
  return made;
}

}  // namespace msgbus::exec
