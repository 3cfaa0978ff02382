#pragma once

/// The interface of a host's members, of all kinds.

#include <msgbus/async/host_report.hpp>
#include <msgbus/detail/async/base.hpp>
#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/detail/observe/duration_histogram.hpp>
#include <msgbus/observer.hpp>
#include <msgbus/options.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::async::detail {

/// The counts of one link of a bridge.
struct link_stats {
  std::string name;
  std::vector<std::pair<const char*, std::uint64_t>> counts;  // never decrease
  std::vector<std::pair<const char*, std::uint64_t>> now;     // may decrease
  const char* system = "";                                    // as spans call it
  bool sends = false;                                         // otherwise it receives
  std::string topics = {};                                    // or patterns, with commas
  std::string group = {};                                     // or the durable consumer
};

/// The durations of what a bridge does at its transport.
struct operation_times {
  const char* system = "";                      // as spans call it
  std::string operation = {};                   // `send`, `store` or `call`
  std::string destination = {};                 // a topic, a pattern or a prefix; empty: any
  msgbus::detail::duration_figures ended = {};  // without a failure
  msgbus::detail::duration_figures failed = {};
};

/// The figures of a durable database.
struct store_stats {
  struct destination {
    std::string name;
    std::uint64_t waiting = 0;    // in the file, those that are scheduled included
    std::uint64_t scheduled = 0;  // of these
    std::uint64_t oldest = 0;     // nanoseconds since the commit of the oldest one; 0: unknown
  };
  using counts = std::vector<std::pair<const char*, std::uint64_t>>;  // never decrease

  counts transactions;  // by outcome
  counts messages;      // by outcome
  counts commits;       // by the size of their groups: at most so many transactions
  std::uint64_t in_flight = 0;
  std::uint64_t dead_letters = 0;
  std::vector<destination> destinations;
};

/// `ended`: `run` has drained all, or never began and the host was destroyed.
enum class host_progress { serving, ending, ended };

/// Rarely needed figures of a component, besides its stats.
struct component_details {
  std::size_t scheduled = 0;
  std::int64_t oldest_waiting = 0;  // nanoseconds; 0: none waits whose time is measured
  std::size_t concurrency = 0;      // messages of the mailbox that are handled at once
  std::size_t blocked_senders = 0;
  std::uint64_t repeated = 0;  // attempts that another one followed
  bool closed = false;
};

/// What the policies of a component's handlers share with others.
struct shared_parts {
  std::vector<std::shared_ptr<const circuit_breaker>> breakers;  // each once
  std::vector<std::shared_ptr<dead_letters>> letters;            // each once
};

/// Thread-safe, except that one coroutine at a time ends it.
class host_member {
 public:
  using duration = std::chrono::steady_clock::duration;

  host_member(std::string name, std::string_view kind) : name_(std::move(name)), kind_(kind) {}
  host_member(const host_member&) = delete;
  host_member& operator=(const host_member&) = delete;
  virtual ~host_member() = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::string_view kind() const noexcept { return kind_; }

  /// Whether the object exists; otherwise it is not drained.
  [[nodiscard]] virtual bool exists() const noexcept { return true; }
  /// Ends the intake of messages from outside.
  [[nodiscard]] virtual asio::awaitable<drain_report> end_intake(duration /*deadline*/) {
    co_return drain_report{};
  }
  /// After a cancellation it is called again, and reports on both calls.
  [[nodiscard]] virtual asio::awaitable<drain_report> drain(duration deadline) = 0;

  /// Makes the member's name that of the object.
  virtual void give_name() {}
  virtual void observe(const std::shared_ptr<observer>& /*observer*/) {}
  virtual void trace(const std::shared_ptr<tracer>& /*tracer*/) {}
  [[nodiscard]] virtual std::optional<component_stats> stats() const { return std::nullopt; }
  [[nodiscard]] virtual std::vector<link_stats> links() const { return {}; }
  /// Empty until they are measured, which is as long as what the second function returns exists.
  [[nodiscard]] virtual std::vector<operation_times> operations() const { return {}; }
  [[nodiscard]] virtual std::shared_ptr<const void> measure_operations() { return nullptr; }
  [[nodiscard]] virtual std::optional<store_stats> store() const { return std::nullopt; }
  [[nodiscard]] virtual component_details details() const { return {}; }
  /// The times of the component, one message in `sample`; null: it has none.
  [[nodiscard]] virtual std::shared_ptr<const measured_times> measure(std::uint32_t /*sample*/) {
    return nullptr;
  }
  /// Tells the recorder too, or no more.
  virtual void record(const std::shared_ptr<msgbus::detail::failure_recorder>& /*to*/) {}
  virtual void record_no_more(const msgbus::detail::failure_recorder& /*to*/) {}
  [[nodiscard]] virtual shared_parts parts() const { return {}; }
  /// Calls `look` with each executor on which handlers run, whose context cannot end meanwhile.
  using executor_visitor = std::function<void(const asio::any_io_executor&)>;
  virtual void visit_executors(const executor_visitor& /*look*/) const {}
  /// The object that a graph knows, while it exists.
  [[nodiscard]] virtual const void* identity() const noexcept { return this; }
  /// Adds the member to a graph, if it exists.
  virtual void describe(msgbus::detail::graph_builder& to) const;

 private:
  const std::string name_;
  const std::string kind_;
};

/// A consumer, subscriber or service. Keeps none of them.
class core_member final : public host_member {
 public:
  /// An empty name is that of the component.
  core_member(std::string name, const std::shared_ptr<component_core>& of);

  [[nodiscard]] bool exists() const noexcept override { return !core_.expired(); }
  [[nodiscard]] asio::awaitable<drain_report> drain(duration deadline) override;
  void give_name() override;
  void observe(const std::shared_ptr<observer>& observer) override;
  void trace(const std::shared_ptr<tracer>& tracer) override;
  [[nodiscard]] std::optional<component_stats> stats() const override;
  [[nodiscard]] component_details details() const override;
  [[nodiscard]] std::shared_ptr<const measured_times> measure(std::uint32_t sample) override;
  void record(const std::shared_ptr<msgbus::detail::failure_recorder>& to) override;
  void record_no_more(const msgbus::detail::failure_recorder& to) override;
  [[nodiscard]] shared_parts parts() const override;
  void visit_executors(const executor_visitor& look) const override;
  [[nodiscard]] const void* identity() const noexcept override { return core_.lock().get(); }
  void describe(msgbus::detail::graph_builder& to) const override;

 private:
  const std::weak_ptr<component_core> core_;
  std::optional<counters> before_;  // when the first call of `drain` began
};

/// An object of the program, such as a listener.
template <class T>
class part_member final : public host_member {
 public:
  part_member(std::string name, T& part) : host_member(std::move(name), "part"), part_(&part) {}

  [[nodiscard]] asio::awaitable<drain_report> end_intake(duration /*deadline*/) override {
    part_->close();
    co_return drain_report{};
  }
  [[nodiscard]] asio::awaitable<drain_report> drain(duration deadline) override {
    return part_->drain(deadline);
  }

 private:
  T* const part_;
};

template <class Core>
std::shared_ptr<component_core> core_of(base<Core>& component) {
  return msgbus::component::core_access::of(component);
}

/// For classes of upper layers, which befriend it: their function `hosted(name)` makes the member.
struct host_access {
  template <class T>
  [[nodiscard]] static auto member(T& of, std::string name)
      -> decltype(of.hosted(std::move(name))) {
    return of.hosted(std::move(name));
  }
  /// A function that returns the members of a host, and may outlive it.
  template <class Host>
  [[nodiscard]] static auto members(const Host& host) {
    return host.members();
  }
  /// A function that gives its `host_progress`; as above.
  template <class Host>
  [[nodiscard]] static auto progress(const Host& host) {
    return host.progress();
  }
};

template <class T>
concept hosted_component = requires(T& object) { core_of(object); };
template <class T>
concept hosted_by_itself =
    requires(T& object, std::string name) { host_access::member(object, std::move(name)); };
template <class T>
concept hosted_part = requires(T& object, std::chrono::steady_clock::duration deadline) {
  object.close();
  { object.drain(deadline) } -> std::same_as<asio::awaitable<drain_report>>;
};

template <class T>
[[nodiscard]] std::shared_ptr<host_member> make_member(std::string name, T& object) {
  if constexpr (hosted_component<T>) {
    return std::make_shared<core_member>(std::move(name), core_of(object));
  } else if constexpr (hosted_by_itself<T>) {
    return host_access::member(object, std::move(name));
  } else {
    static_assert(hosted_part<T>,
                  "msgbus: a host takes async consumers, subscribers and services, bridges, and "
                  "objects with close() and asio::awaitable<drain_report> drain(duration)");
    return std::make_shared<part_member<T>>(std::move(name), object);
  }
}

}  // namespace msgbus::async::detail
