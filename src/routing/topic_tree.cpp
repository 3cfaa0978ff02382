#include <msgbus/detail/routing/topic_tree.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <new>

namespace msgbus::routing {

/// The handlers whose patterns end here, or with a `>` here, and the branches of longer patterns.
struct alignas(64) topic_tree::branch {
  branch(branch* parent, std::string_view text)
      : hash(hash_of(text)),
        short_size(static_cast<std::uint8_t>(std::min(text.size(), short_token.size() + 1))),
        token(text),
        from(parent) {
    text.copy(short_token.data(), short_token.size());
  }
  ~branch() {
    delete star.load(std::memory_order_relaxed);
    children.for_each([](branch& each) { delete &each; });
  }

  [[nodiscard]] bool is(std::string_view other) const noexcept {
    if (other.size() > short_token.size()) return is_same_text(token, other);
    return other.size() == short_size && is_same_text({short_token.data(), other.size()}, other);
  }
  [[nodiscard]] branch* child(std::string_view of) const noexcept {
    return children.never_filled() ? nullptr : children.find(of, hash_of(of));
  }
  [[nodiscard]] bool empty() const noexcept {
    return here.empty() && rest.empty() && children.size() == 0 &&
           !star.load(std::memory_order_relaxed);
  }

  // For a short token, a lookup reads the first cache line only.
  const std::size_t hash;
  routing::table<branch> children;
  std::atomic<branch*> star{nullptr};
  route here;
  route rest;
  std::array<char, 15> short_token{};
  const std::uint8_t short_size;  // larger than `short_token` if the token does not fit
  const std::string token;
  branch* const from;
};

bool has_wildcard(std::string_view pattern) noexcept {
  while (!pattern.empty()) {
    const auto token = next_token(pattern);
    if (token == "*" || token == ">") return true;
  }
  return false;
}

std::vector<std::string> checked_patterns(std::initializer_list<std::string_view> patterns) {
  if (patterns.size() == 0)
    throw error(errc::invalid_topic, "subscribe: the list of patterns is empty");
  std::vector<std::string> checked;
  for (const std::string_view pattern : patterns) {
    check_pattern(pattern);
    if (std::find(checked.begin(), checked.end(), pattern) == checked.end()) {
      checked.emplace_back(pattern);
    }
  }
  return checked;
}

std::string topic_entry::describe_patterns() const {
  std::string all;
  for (const std::string& pattern : patterns_) all += (all.empty() ? "'" : ", '") + pattern + "'";
  return all;
}

topic_entry::topic_entry(std::uint64_t order, std::vector<std::string> patterns, void (*call)(),
                         void (*plain_call)()) noexcept
    : entry(order, plain_call), patterns_(std::move(patterns)), call_(call) {}

topic_entry::~topic_entry() = default;

topic_tree::named_route::named_route(std::string_view name) noexcept
    : hash(hash_of(name)), size_(name.size()) {
  std::memcpy(static_cast<void*>(this + 1), name.data(), name.size());
}

std::unique_ptr<topic_tree::named_route> topic_tree::named_route::make(std::string_view name) {
  void* const block = ::operator new(sizeof(named_route) + name.size());
  return std::unique_ptr<named_route>(new (block) named_route(name));
}

topic_tree::topic_tree() = default;

topic_tree::~topic_tree() {
  exact_.for_each([](named_route& each) { delete &each; });
}

void topic_tree::find(std::string_view topic, std::size_t hash, merged_handlers& found) const {
  const named_route* const exact = exact_.find(topic, hash);
  if (exact) found.add(exact->handlers.entries());  // the table has valid topics only
  if (!has_patterns()) {
    if (!exact) check_topic(topic);
    return;
  }
  topic_tokens tokens;
  if (split_topic(topic, tokens)) return walk(*root_, tokens, 0, found);
  check_topic(topic);
  walk(*root_, topic, found);
}

void topic_tree::walk(const branch& root, const topic_tokens& tokens, std::size_t next,
                      merged_handlers& found) {
  const branch* at = &root;
  for (; next != tokens.count; ++next) {
    found.add(at->rest.entries());
    const branch* const child = at->child({tokens.at[next].text, tokens.at[next].size});
    const branch* const any = at->star.load(std::memory_order_acquire);
    if (child && any) walk(*child, tokens, next + 1, found);
    at = any ? any : child;
    if (!at) return;
  }
  found.add(at->here.entries());
}

// For topics with more tokens than `topic_tokens` holds. `rest` is the remainder of the topic; a
// valid topic has no empty token, so an empty `rest` is the end.
void topic_tree::walk(const branch& at, std::string_view rest, merged_handlers& found) {
  if (rest.empty()) return found.add(at.here.entries());
  found.add(at.rest.entries());
  const auto token = next_token(rest);
  if (const branch* child = at.child(token)) walk(*child, rest, found);
  if (const branch* any = at.star.load(std::memory_order_acquire)) walk(*any, rest, found);
}

topic_tree::branch& topic_tree::next_branch(branch& at, std::string_view token,
                                            routing::retire_list& old) noexcept {
  if (token == "*") {
    branch* next = at.star.load(std::memory_order_relaxed);
    if (!next) {
      next = new branch(&at, token);
      at.star.store(next, std::memory_order_release);
    }
    return *next;
  }
  branch* next = at.child(token);
  if (!next) {
    next = new branch(&at, token);
    at.children.insert(*next, old);
  }
  return *next;
}

// The end of a pattern with wildcards. Makes the missing branches on the way.
topic_tree::ending topic_tree::end_of(std::string_view pattern,
                                      routing::retire_list& old) noexcept {
  if (!root_) root_ = std::make_unique<branch>(nullptr, "");
  branch* at = root_.get();
  while (!pattern.empty()) {
    const auto token = next_token(pattern);
    if (token == ">") return {*at, at->rest};
    at = &next_branch(*at, token, old);
  }
  return {*at, at->here};
}

topic_tree::named_route& topic_tree::route_of(std::string_view topic,
                                              routing::retire_list& old) noexcept {
  named_route* found = exact_.find(topic, hash_of(topic));
  if (!found) {
    found = named_route::make(topic).release();
    exact_.insert(*found, old);
  }
  return *found;
}

std::shared_ptr<entry> topic_tree::attach_made(make_entry make) {
  return router::attach(make, [this](entry& added, routing::retire_list& old) {
    link(static_cast<topic_entry&>(added), old);
  });
}

void topic_tree::link(topic_entry& added, routing::retire_list& old) noexcept {
  for (const std::string& pattern : added.patterns_) {
    const route_entry linked{added.call_, &added};
    if (has_wildcard(pattern)) {
      end_of(pattern, old).handlers.add(linked, old);
      patterns_.fetch_add(1, std::memory_order_release);
    } else {
      route_of(pattern, old).handlers.add(linked, old);
    }
  }
}

void topic_tree::unlink(entry& removed, routing::retire_list& old) noexcept {
  for (const std::string& pattern : static_cast<topic_entry&>(removed).patterns_) {
    if (has_wildcard(pattern)) {
      const ending end = end_of(pattern, old);
      end.handlers.remove(removed, old);
      patterns_.fetch_sub(1, std::memory_order_release);
      prune(end.at, old);
    } else {
      named_route& found = route_of(pattern, old);
      found.handlers.remove(removed, old);
      if (found.handlers.empty()) {
        exact_.erase(found);
        old.add(std::unique_ptr<named_route>(&found));
      }
    }
  }
}

void topic_tree::hide_soles() noexcept {
  exact_.for_each([](named_route& each) { each.handlers.hide_sole(); });
}

// Removes the branches without handlers and children, from the tip upwards.
void topic_tree::prune(branch& tip, routing::retire_list& old) noexcept {
  for (branch* at = &tip; at->from && at->empty();) {
    branch* const up = at->from;
    if (at->token == "*") {
      up->star.store(nullptr, std::memory_order_release);
    } else {
      up->children.erase(*at);
    }
    old.add(std::unique_ptr<branch>(at));
    at = up;
  }
}

}  // namespace msgbus::routing
