#pragma once

/// The routes of a subscriber: topics by hash, patterns with wildcards by a tree of tokens.

#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/routing/merged_handlers.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/detail/routing/table.hpp>
#include <msgbus/topic.hpp>

#include <atomic>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::routing {

class topic_entry : public entry {
 public:
  /// The patterns are valid, without duplicates.
  topic_entry(std::uint64_t order, std::vector<std::string> patterns, void (*call)(),
              void (*plain_call)() = nullptr) noexcept;
  ~topic_entry() override;

  [[nodiscard]] const std::vector<std::string>& patterns() const noexcept { return patterns_; }

 protected:
  /// `'a.*', 'b'`, for errors.
  [[nodiscard]] std::string describe_patterns() const;

 private:
  friend class topic_tree;
  const std::vector<std::string> patterns_;
  void (*const call_)();
};

class topic_tree : public router {
 public:
  topic_tree();
  ~topic_tree() override;

  /// The handlers of a topic if no pattern with wildcards must be checked; otherwise null. For
  /// readers, under a guard. `hash` is `hash_of(topic)`.
  [[nodiscard]] const quick_route* find_only_route(std::string_view topic,
                                                   std::size_t hash) const noexcept {
    if (has_patterns()) return nullptr;
    const named_route* const exact = exact_.find(topic, hash);
    return exact ? &exact->handlers : nullptr;
  }
  [[nodiscard]] bool has_patterns() const noexcept {
    return patterns_.load(std::memory_order_acquire) != 0;
  }
  [[nodiscard]] const route_entries* find_only(std::string_view topic,
                                               std::size_t hash) const noexcept {
    const quick_route* const found = find_only_route(topic, hash);
    return found ? found->entries() : nullptr;
  }

  /// Finds the handlers of a topic, in the order of attachment, each once (T8). For readers, under
  /// a guard. Throws `invalid_topic` (T7).
  void find(std::string_view topic, std::size_t hash, merged_handlers& found) const;

  /// `make(order)` returns a `shared_ptr` to a kind of `topic_entry`.
  template <class Make>
  auto attach(Make make) {
    return std::static_pointer_cast<made_by<Make>>(attach_made(make));
  }

 private:
  std::shared_ptr<entry> attach_made(make_entry make);

  // The name follows in the same block.
  class named_route {
   public:
    static std::unique_ptr<named_route> make(std::string_view name);
    static void operator delete(void* block) { ::operator delete(block); }

    [[nodiscard]] bool is(std::string_view other) const noexcept {
      return is_same_text({reinterpret_cast<const char*>(this + 1), size_}, other);
    }

    const std::size_t hash;
    quick_route handlers;

   private:
    explicit named_route(std::string_view name) noexcept;
    const std::size_t size_;
  };

  struct branch;  // a node of the tree of patterns

  static void walk(const branch& at, std::string_view rest, merged_handlers& found);
  static void walk(const branch& root, const topic_tokens& tokens, std::size_t next,
                   merged_handlers& found);

  struct ending {
    branch& at;
    route& handlers;
  };
  static branch& next_branch(branch& at, std::string_view token,
                             routing::retire_list& old) noexcept;
  ending end_of(std::string_view pattern, routing::retire_list& old) noexcept;
  named_route& route_of(std::string_view topic, routing::retire_list& old) noexcept;
  static void prune(branch& tip, routing::retire_list& old) noexcept;

  void link(topic_entry& added, routing::retire_list& old) noexcept;
  void unlink(entry& removed, routing::retire_list& old) noexcept override;
  void hide_soles() noexcept override;

  routing::table<named_route> exact_;
  std::unique_ptr<branch> root_;          // made with the first pattern
  std::atomic<std::size_t> patterns_{0};  // the number of patterns with wildcards
};

/// Whether the pattern has a wildcard. A pattern without one is looked up as a topic.
[[nodiscard]] bool has_wildcard(std::string_view pattern) noexcept;

/// Checks the patterns and removes duplicates. Throws `invalid_topic` (T7).
[[nodiscard]] std::vector<std::string> checked_patterns(
    std::initializer_list<std::string_view> patterns);

}  // namespace msgbus::routing
