#include <msgbus/detail/async/one_of_group.hpp>

#include <msgbus/detail/core/hash.hpp>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace msgbus::async::detail {

one_of_group::one_of_group(pick_options options, const routing::single_route& of)
    : options_(std::move(options)), fan_out_(&of) {}

one_of_group::~one_of_group() = default;

void one_of_group::bind(const std::shared_ptr<component_core>& member) {
  member->senders.bind(*this, member, {fan_out_, chosen_by()});
}

const char* one_of_group::chosen_by() const noexcept {
  switch (options_.by) {
    case pick::round_robin: return "round_robin";
    case pick::least_waiting: return "least_waiting";
    case pick::key: return "key";
  }
  return "";
}

void one_of_group::unbind(component_core& member) { member.senders.unbind(*this); }

void one_of_group::add_all(targets& to) const {
  const routing::guard guard(guarded());
  const routing::handler_range list(entries());
  for (const routing::route_entry* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    to.push_back(static_cast<component::binding<component_core>*>(each->entry)->target().self());
  }
}

std::uint64_t one_of_group::key_hash(value_ref message, std::string_view topic) const {
  for (const key_function& each : options_.keys) {
    if (each.rule().is_for(message.type)) return each.rule().hash(message.data, topic);
  }
  return exec::hash_of_type(message.type);
}

one_of_group::preference::preference(const one_of_group& of, value_ref message,
                                     std::string_view topic)
    : guard_(of.guarded()) {
  const routing::handler_range list(of.entries());
  const auto most = static_cast<std::size_t>(list.end - list.begin);
  if (most > few_.size()) many_.resize(most);
  all_ = many_.empty() ? few_.data() : many_.data();
  const bool is_by_key = of.options_.by == pick::key;
  const std::uint64_t key = is_by_key ? of.key_hash(message, topic) : 0;
  for (const routing::route_entry* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    component_core& member =
        static_cast<component::binding<component_core>*>(each->entry)->target();
    std::uint64_t rank = 0;
    if (is_by_key) {
      // The highest of random weights: where a member leaves, only its own keys go elsewhere.
      rank = mix(mix(key) ^ mix(each->entry->order() * hash_factor));
    } else if (of.options_.by == pick::least_waiting) {
      rank = member.mailbox.load();
    }
    all_[size_] = {&member, rank, size_};
    ++size_;
  }
  if (size_ < 2) return;
  if (!is_by_key) {
    const std::size_t first = of.next_.fetch_add(1, std::memory_order_relaxed) % size_;
    for (std::size_t i = 0; i < size_; ++i) all_[i].turn = (i + size_ - first) % size_;
  }
  std::sort(all_, all_ + size_, [](const candidate& one, const candidate& other) {
    return std::tie(one.rank, one.turn) < std::tie(other.rank, other.turn);
  });
}

void group_entry::destroy_callable() noexcept {
  if (const auto gone = std::exchange(group_, nullptr)) gone->shutdown();
}

}  // namespace msgbus::async::detail
