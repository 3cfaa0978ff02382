#include <msgbus/detail/async/component_name.hpp>

#include <memory>
#include <string>
#include <utility>

namespace msgbus::async::detail {

struct component_name::given {
  std::string name;
  std::string text;
  const given* previous = nullptr;
};

component_name::~component_name() {
  const given* each = last_.load(std::memory_order_acquire);
  while (each) {
    const std::unique_ptr<const given> gone(std::exchange(each, each->previous));
  }
}

void component_name::set(std::string_view name) {
  auto added = std::make_unique<given>();
  added->name = name;
  added->text = std::string(kind_) + " \"" + added->name + '"';
  const given* now = last_.load(std::memory_order_acquire);
  do {
    added->previous = now;
  } while (!last_.compare_exchange_weak(now, added.get(), std::memory_order_acq_rel));
  (void)added.release();  // the list owns it
}

const char* component_name::text() const noexcept {
  const given* const now = last_.load(std::memory_order_acquire);
  return now ? now->text.c_str() : kind_;
}

std::string_view component_name::name() const noexcept {
  const given* const now = last_.load(std::memory_order_acquire);
  return now ? std::string_view(now->name) : std::string_view();
}

std::string_view component_name::kind() const noexcept {
  constexpr std::string_view article = "the ";
  const std::string_view all = kind_;
  return all.starts_with(article) ? all.substr(article.size()) : all;
}

}  // namespace msgbus::async::detail
