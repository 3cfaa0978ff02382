#pragma once

/// The HTTP side of a monitor: who may ask, what is answered, streams of events.

#include <msgbus/graph.hpp>
#include <msgbus/monitor/monitor.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::monitoring {

using document = std::shared_ptr<const std::string>;

/// The newest document, for streams that wait for one. Thread-safe.
class newest_document {
 public:
  void publish(std::string text);
  [[nodiscard]] document now() const;

  /// The newest one if it is newer than `seen`, which becomes its number. Null: there was none for
  /// `at_most`, or the end has come.
  [[nodiscard]] document wait(std::uint64_t& seen, std::chrono::steady_clock::duration at_most);
  /// Wakes all, now and later.
  void end() noexcept;
  [[nodiscard]] bool has_ended() const noexcept;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  document text_ = std::make_shared<const std::string>();
  std::uint64_t number_ = 0;
  bool ended_ = false;
};

enum class letter_action { replay, discard };

/// What is served. The functions are called on several threads.
struct served_content {
  newest_document& status;
  std::function<std::string(bool openmetrics)> metrics;
  std::function<std::string(graph_format)> describe;
  std::function<std::string()> picture;
  /// Begins it, and gives the number of letters that it is about.
  std::function<std::size_t(letter_action, const std::vector<std::string>& ids)> act;
};

/// Listens from its constructor to its destructor.
class http_server {
 public:
  /// Throws `bad_arguments` if it cannot listen.
  http_server(const monitor_options& options, served_content content);
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;
  ~http_server();

  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  class listening;
  const std::unique_ptr<listening> listening_;
};

/// A file of the page, compiled in.
struct page_file {
  std::string_view path;  // with a slash before it
  std::string_view type;
  std::string_view content;
};
[[nodiscard]] const std::vector<page_file>& page_files();

}  // namespace msgbus::monitoring
