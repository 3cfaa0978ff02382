#include <msgbus/detail/exec/key_rules.hpp>

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/exec/key_rule.hpp>
#include <msgbus/detail/routing/retire_list.hpp>

#include <utility>

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

key_rules::~key_rules() { const std::unique_ptr<rules> gone(current_.load()); }

void key_rules::add(const routing::domain& guarded, std::shared_ptr<const key_rule> added) {
  routing::retire_list old;
  {
    const std::lock_guard lock(changing_);
    if (cleared_) return;
    rules* const before = current_.load(std::memory_order_relaxed);
    auto all = before ? std::make_unique<rules>(*before) : std::make_unique<rules>();
    all->insert(all->begin(), std::move(added));  // found before an earlier one for its type
    current_.store(all.release(), std::memory_order_release);
    old.add(std::unique_ptr<rules>(before));
  }
  routing::retire(guarded, std::move(old));
}

void key_rules::clear(const routing::domain& guarded) noexcept {
  routing::retire_list old;
  {
    const std::lock_guard lock(changing_);
    cleared_ = true;
    old.add(std::unique_ptr<rules>(current_.exchange(nullptr, std::memory_order_acq_rel)));
  }
  routing::retire(guarded, std::move(old));
}

keyed_ptr key_rules::made(const rules& all, value_ref message, std::string_view topic) {
  for (const auto& each : all) {
    if (!each->is_for(message.type)) continue;
    try {
      return each->key(message.data, topic);
    } catch (...) {
      return key_of_failure(message.type);
    }
  }
  return key_of_type(message.type);
}

}  // namespace msgbus::exec
