#include <msgbus/detail/async/component_name.hpp>

#include <algorithm>
#include <cassert>
#include <memory>
#include <string>

namespace msgbus::async::detail {

struct component_name::given {
  std::string name;
  std::string text;
  const given* previous = nullptr;  // null: the kind, which nobody owns
};

component_name::component_name(std::string_view kind) noexcept {
  static const given kinds[] = {{"", "the consumer"}, {"", "the subscriber"}, {"", "the service"}};
  const given* const found = std::ranges::find(kinds, kind, &given::text);
  assert(found != std::end(kinds) && "a component is of one of these kinds");
  last_.store(found, std::memory_order_relaxed);
}

component_name::~component_name() {
  const given* each = last_.load(std::memory_order_acquire);
  while (each->previous) {
    const std::unique_ptr<const given> gone(each);
    each = gone->previous;
  }
}

void component_name::set(std::string_view name) {
  auto added = std::make_unique<given>();
  const given* now = last_.load(std::memory_order_acquire);
  const given* first = now;
  while (first->previous) first = first->previous;
  added->name = name;
  added->text = first->text + " \"" + added->name + '"';
  do {
    added->previous = now;
  } while (!last_.compare_exchange_weak(now, added.get(), std::memory_order_acq_rel));
  (void)added.release();  // the list owns it
}

const char* component_name::text() const noexcept {
  return last_.load(std::memory_order_acquire)->text.c_str();
}

std::string_view component_name::name() const noexcept {
  return last_.load(std::memory_order_acquire)->name;
}

std::string_view component_name::kind() const noexcept {
  constexpr std::string_view article = "the ";
  const given* first = last_.load(std::memory_order_acquire);
  while (first->previous) first = first->previous;
  return std::string_view(first->text).substr(article.size());
}

}  // namespace msgbus::async::detail
