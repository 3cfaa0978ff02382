#include <msgbus/detail/component/provider_state.hpp>

#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/provider.hpp>

#include <utility>

namespace msgbus {

provider::provider() : state_(std::make_shared<component::provider_state>()) {}

}  // namespace msgbus

namespace msgbus::component {

provider_state::node::node(const void* of) noexcept : identity(of), hash(hash_of_address(of)) {}

provider_state::node::~node() = default;

provider_state::provider_state() = default;

provider_state::~provider_state() {
  nodes_.for_each([](node& each) { delete &each; });
}

namespace {

bool any_async(const provider_state& overrides, std::span<const dependency_ref> needs,
               int depth) noexcept {
  if (depth == 0) return false;  // a cycle; resolution reports it
  for (const dependency_ref& each : needs) {
    const implementation* const over = overrides.find(each.identity);
    const factory& source = over ? over->factory : each.info->factory;
    if (is_async(source.kind) || (source.needs && any_async(overrides, source.needs(), depth - 1)))
      return true;
  }
  return false;
}

}  // namespace

bool any_async(const provider_state& overrides, std::span<const dependency_ref> needs) noexcept {
  constexpr int deep_enough = 64;
  return overrides.has_async() && any_async(overrides, needs, deep_enough);
}

std::uint64_t provider_state::add(const void* identity, std::shared_ptr<implementation> added,
                                  const addition& as, const char* name) {
  routing::retire_list replaced;
  std::unique_lock lock(writing_);
  node* at = nodes_.find(identity, hash_of_address(identity));
  if (!at) {
    at = new node(identity);
    if (name) at->name = name;
    nodes_.insert(*at, old_);
  }
  const std::uint64_t ticket = ++last_ticket_;
  implementation* const current = added.get();
  if (is_async(added->factory.kind)) async_.fetch_add(1, std::memory_order_release);
  at->layers.push_back({std::move(added), ticket, as});
  at->current.store(current, std::memory_order_release);
  size_.fetch_add(1, std::memory_order_release);
  if (as.lasting) {
    auto& layers = at->layers;
    for (auto each = layers.begin(); each + 1 != layers.end(); ++each) {
      if (!each->as.lasting) continue;
      if (is_async(each->replacement->factory.kind)) async_.fetch_sub(1, std::memory_order_release);
      replaced.add(std::move(each->replacement));
      layers.erase(each);
      size_.fetch_sub(1, std::memory_order_release);
      break;  // there is at most one
    }
  }
  lock.unlock();
  if (!replaced.empty()) routing::retire_later(domain_, std::move(replaced));
  return ticket;
}

std::string provider_state::namesake_of(const dependency_info& missing) const {
  const std::string name = missing.name();
  bool found = false;
  const std::lock_guard lock(writing_);
  nodes_.for_each(
      [&](const node& each) { found = found || (each.name == name && !each.layers.empty()); });
  return found
             ? "an override exists for another dependency of the same name; a shared library with "
               "hidden visibility has a dependency of its own"
             : "call override(...) on the component or its provider";
}

std::optional<provider_state::description> provider_state::describe(const void* identity) const {
  const std::lock_guard lock(writing_);
  const node* const found = nodes_.find(identity, hash_of_address(identity));
  if (!found || found->layers.empty()) return std::nullopt;
  const layer& top = found->layers.back();
  return description{std::string(top.as.type), top.as.line, top.replacement->factory.needs};
}

template <class Which>
void provider_state::remove_if(const void* identity, Which which) noexcept {
  routing::retire_list old;
  {
    const std::lock_guard lock(writing_);
    node* const at = nodes_.find(identity, hash_of_address(identity));
    if (!at) return;
    std::erase_if(at->layers, [&](layer& each) {
      if (!which(each)) return false;
      if (is_async(each.replacement->factory.kind)) async_.fetch_sub(1, std::memory_order_release);
      old_.add(std::move(each.replacement));
      size_.fetch_sub(1, std::memory_order_release);
      return true;
    });
    at->current.store(at->layers.empty() ? nullptr : at->layers.back().replacement.get(),
                      std::memory_order_release);
    old = std::move(old_);
  }
  routing::retire(domain_, std::move(old));
}

void provider_state::remove(const void* identity) noexcept {
  remove_if(identity, [](const layer&) { return true; });
}

void provider_state::remove(const void* identity, std::uint64_t ticket) noexcept {
  remove_if(identity, [&](const layer& each) { return each.ticket == ticket; });
}

}  // namespace msgbus::component

namespace msgbus::component {

std::unique_ptr<component_state::share> component_state::share_of(std::shared_ptr<provider> given) {
  return given ? std::unique_ptr<share>(new share{std::move(given)}) : nullptr;
}

const component::provider_state& component_state::state_of(const share* overrides) {
  static const component::provider_state none;
  return overrides ? overrides->of->state() : none;
}

component_state::component_state(std::shared_ptr<provider> given)
    : overrides_(share_of(std::move(given))), state_(&state_of(overrides_.get())) {}

provider& component_state::overrides() {
  provider& mine = *overrides_.made().of;
  state_.store(&mine.state(), std::memory_order_release);  // all threads store the same pointer
  return mine;
}

}  // namespace msgbus::component
