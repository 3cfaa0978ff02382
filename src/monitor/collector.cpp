#include "monitor/collector.hpp"

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/error.hpp>

#include "async/dead_letter_store.hpp"
#include "observe/graph_builder.hpp"
#include "policy/breaker_access.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>

#include <algorithm>
#include <charconv>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace msgbus::monitoring {

namespace {

using async::detail::host_member;
using async::detail::letter_access;
using async::detail::measured_times;

constexpr std::size_t most_letters = 100;
constexpr double unrouted_for = 60;  // seconds

asio::awaitable<void> replay_these(std::shared_ptr<async::dead_letters> of,
                                   std::set<std::uint64_t> ids) {
  auto which = [&ids](const async::dead_letter& each) { return ids.contains(each.id); };
  std::function<bool(const async::dead_letter&)> those(which);
  (void)co_await of->replay(std::move(those));
}

/// `1-3` is the letter 3 of the store 1.
bool split(std::string_view id, std::uint64_t& of_store, std::uint64_t& letter) {
  const char* const begin = std::to_address(id.begin());
  const char* const end = begin + id.size();
  const auto first = std::from_chars(begin, end, of_store);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, letter);
  return second.ec == std::errc() && second.ptr == end;
}

asio::any_io_executor executor_of(const async::host& all) {
  try {
    return all.get_executor();
  } catch (const error&) {
    return {};  // its context has ended: nothing can be replayed
  }
}

}  // namespace

replay_starter::replay_starter(const asio::any_io_executor& executor) : executor_(executor) {
  if (!link(executor)) executor_ = {};
}

bool replay_starter::start(const std::shared_ptr<async::dead_letters>& of,
                           std::set<std::uint64_t> ids, const std::shared_ptr<failure_log>& log) {
  const std::lock_guard lock(mutex_);
  if (!executor_) return false;
  asio::co_spawn(executor_, replay_these(of, std::move(ids)), [log](const std::exception_ptr& why) {
    if (why) log->note("a replay of dead letters", why);
  });
  return true;
}

void replay_starter::context_ended() noexcept {
  asio::any_io_executor gone;
  const std::lock_guard lock(mutex_);
  std::swap(gone, executor_);
}

/// Measures and records as long as it exists.
struct collector::attachment {
  attachment(member to, std::uint32_t sample, std::shared_ptr<failure_log> log)
      : of(std::move(to)), recorder(std::move(log)), times(of->measure(sample)) {
    of->record(recorder);  // may throw
    if (times) times->times().follow();
  }
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;
  ~attachment() {
    of->record_no_more(*recorder);
    if (times) times->times().follow_no_more();
  }

  const member of;
  const std::shared_ptr<failure_log> recorder;
  const std::shared_ptr<const measured_times> times;
};

collector::collector(const async::host& all, const monitor_options& options)
    : stalled_after_(options.stalled_after),
      sample_(options.sample),
      members_(async::detail::host_access::members(all)),
      progress_(async::detail::host_access::progress(all)),
      replays_(executor_of(all)) {}

collector::~collector() = default;

void collector::attach(const member& to) {
  if (attached_.contains(to.get())) return;
  attached_.emplace(to.get(), std::make_unique<attachment>(to, sample_, log_));
}

void collector::add_component(reading& to, const member& of, msgbus::detail::graph_builder& graph) {
  std::optional<async::component_stats> stats = of->stats();
  if (!stats) return;
  const void* const object = of->identity();
  if (!object) return;
  attach(of);
  component_reading added;
  const graph::component& described = graph.component(object, of->kind(), "async");
  added.id = described.id;
  added.executor = described.executor;
  added.stats = std::move(*stats);
  added.details = of->details();
  if (const auto& times = attached_[of.get()]->times) {
    added.waits = times->times().waits.read();
    added.handles = times->times().handles.read_followed();
  }
  const async::detail::shared_parts parts = of->parts();
  for (const auto& each : parts.breakers) {
    added.breakers.push_back({each->name(), state_name(each->current()),
                              msgbus::detail::breaker_access::look_at(*each).generation});
  }
  for (const store& each : parts.letters) in_use_.emplace(number_of(each), each);
  added.last_error = log_->last_of(added.stats.name);
  added.unrouted = log_->unrouted_since(added.stats.name, to.time - unrouted_for);
  to.hosted.push_back(added.id);
  to.components.push_back(std::move(added));
}

void collector::add_letters(reading& to) {
  std::map<const void*, std::size_t> by_component;
  for (const auto& [number, each] : in_use_) {
    auto view = letter_access::look(*each, most_letters);
    to.letters.kept += view.kept;
    to.letters.counts.added += view.counts.added;
    to.letters.counts.replayed += view.counts.replayed;
    to.letters.counts.discarded += view.counts.discarded;
    to.letters.counts.dropped += view.counts.dropped;
    for (const auto& [component, many] : view.by_component) by_component[component] += many;
    for (auto& letter : view.newest) {
      letter_reading added;
      added.id = std::to_string(number) + '-' + std::to_string(letter.entry.id);
      added.component = std::move(letter.component);
      added.letter = std::move(letter.entry);
      added.replaying = letter.replaying;
      to.letters.newest.push_back(std::move(added));
    }
  }
  std::ranges::sort(to.letters.newest, std::greater(), [](const letter_reading& each) {
    return std::pair(each.letter.at, each.letter.id);
  });
  if (to.letters.newest.size() > most_letters) to.letters.newest.resize(most_letters);
  letters_of_ = std::move(by_component);
}

std::uint64_t collector::number_of(const store& of) {
  const std::lock_guard lock(stores_mutex_);
  std::erase_if(stores_, [](const auto& each) { return each.second.expired(); });
  for (const auto& [number, each] : stores_) {
    if (each.lock() == of) return number;
  }
  stores_.emplace(++last_store_, of);
  return last_store_;
}

reading collector::read() {
  reading made;
  made.time = wall_time();
  made.progress = progress_();
  log_->begin_interval();
  const std::vector<member> all = members_();
  msgbus::detail::graph_builder graph;
  for (const member& each : all) each->describe(graph);
  std::erase_if(attached_, [](const auto& each) { return !each.second->of->exists(); });
  in_use_.clear();
  std::vector<const void*> objects;
  for (const member& each : all) {
    const std::size_t before = made.components.size();
    add_component(made, each, graph);
    if (made.components.size() > before) objects.push_back(each->identity());
    each->visit_executors([&](const asio::any_io_executor& executor) {
      probes_.see(executor, async::detail::executor_text(executor, graph));
    });
    for (auto& link : each->links()) made.links.push_back({each->name(), std::move(link)});
  }
  add_letters(made);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto found = letters_of_.find(objects[i]);
    if (found != letters_of_.end()) made.components[i].dead_letters = found->second;
  }
  made.at = clock::now();
  made.silent = probes_.ask(made.at, stalled_after_);
  made.all = graph.take();
  for (const member& each : all) {
    if (attached_.contains(each.get())) continue;
    // Bridges and parts are in the graph by their names.
    for (const graph::component& other : made.all.components) {
      if (other.name == each->name() && other.kind == each->kind()) made.hosted.push_back(other.id);
    }
  }
  made.failures = log_->last();
  in_use_.clear();
  return made;
}

std::size_t collector::act(letter_action action, const std::vector<std::string>& ids) {
  std::map<std::uint64_t, std::set<std::uint64_t>> wanted;
  for (const std::string& each : ids) {
    std::uint64_t of_store = 0;
    std::uint64_t letter = 0;
    if (split(each, of_store, letter)) wanted[of_store].insert(letter);
  }
  std::size_t many = 0;
  for (auto& [number, letters] : wanted) {
    store of;
    {
      const std::lock_guard lock(stores_mutex_);
      const auto found = stores_.find(number);
      if (found != stores_.end()) of = found->second.lock();
    }
    if (!of) continue;
    const auto is_wanted = [&](const async::dead_letter& each) {
      return letters.contains(each.id);
    };
    if (action == letter_action::discard) {
      many += of->discard(is_wanted);
      continue;
    }
    const auto kept = of->snapshot();
    const auto there = static_cast<std::size_t>(std::ranges::count_if(kept, is_wanted));
    if (there != 0 && replays_.start(of, std::move(letters), log_)) many += there;
  }
  return many;
}

}  // namespace msgbus::monitoring
