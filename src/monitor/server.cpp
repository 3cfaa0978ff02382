#include "monitor/server.hpp"

#include <msgbus/error.hpp>

#include "core/signals.hpp"
#include "monitor/access.hpp"
#include "monitor/status.hpp"
#include "monitor/workers.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <latch>
#include <memory>
#include <thread>
#include <utility>

namespace msgbus::monitoring {

// --- The newest document. ------------------------------------------------------------------------

void newest_document::publish(std::string text) {
  auto made = std::make_shared<const std::string>(std::move(text));
  {
    const std::lock_guard lock(mutex_);
    text_.swap(made);
    ++number_;
  }
  changed_.notify_all();
}

document newest_document::now() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

document newest_document::wait(std::uint64_t& seen, std::chrono::steady_clock::duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [&] { return ended_ || number_ != seen; });
  if (ended_ || number_ == seen) return nullptr;
  seen = number_;
  return text_;
}

void newest_document::end() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

bool newest_document::has_ended() const noexcept {
  const std::lock_guard lock(mutex_);
  return ended_;
}

namespace {

using httplib::Request;
using httplib::Response;
using handled = httplib::Server::HandlerResponse;

constexpr int client_patience = 2;  // seconds
constexpr std::size_t largest_request = std::size_t{64} * 1024;
constexpr std::size_t slice = std::size_t{16} * 1024;
constexpr int kept_by_system = 128 * 1024;      // for a client that does not read
constexpr std::size_t threads_for_answers = 4;  // besides those of streams
constexpr auto heartbeat = std::chrono::seconds(15);
constexpr const char* json_type = "application/json";

void refuse(Response& to, int status, const std::string& why) {
  to.status = status;
  to.set_content(error_json(why), json_type);
}

/// A place among the streams, while it exists.
class stream_place {
 public:
  static std::shared_ptr<stream_place> take(std::atomic<std::size_t>& taken, std::size_t most) {
    if (taken.fetch_add(1) < most) return std::make_shared<stream_place>(taken);
    taken.fetch_sub(1);
    return nullptr;
  }
  explicit stream_place(std::atomic<std::size_t>& taken) noexcept : taken_(taken) {}
  stream_place(const stream_place&) = delete;
  stream_place& operator=(const stream_place&) = delete;
  ~stream_place() { taken_.fetch_sub(1); }

  std::uint64_t seen = 0;  // the number of the document that was sent last

 private:
  std::atomic<std::size_t>& taken_;
};

/// In slices, so that the end is noticed. False: the client is gone, or reads nothing.
bool write_all(httplib::DataSink& to, const std::string& text, const newest_document& until) {
  for (std::size_t at = 0; at < text.size(); at += slice) {
    if (until.has_ended()) return false;
    if (!to.write(text.data() + at, std::min(slice, text.size() - at))) return false;
  }
  return true;
}

/// Without SO_REUSEPORT, with which another process could listen on the same port.
void set_options(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const timeval patience{client_patience, 0};  // connections inherit these
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kept_by_system, sizeof kept_by_system);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

// --- The server. ---------------------------------------------------------------------------------

class http_server::listening {
 public:
  listening(const monitor_options& options, served_content content)
      : options_(options), content_(std::move(content)) {
    configure();
    port_ = bind();
    {
      const msgbus::detail::without_signals theirs;
      thread_ = std::thread([this] {
        (void)http_->listen_after_bind();
        if (!serves_) begun_.count_down();  // it has ended at once
      });
    }
    begun_.wait();  // `stop` has no effect earlier
    if (serves_) return;
    thread_.join();
    throw_cannot_listen();
  }
  listening(const listening&) = delete;
  listening& operator=(const listening&) = delete;
  ~listening() {
    content_.status.end();
    http_->stop();
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  [[nodiscard]] std::uint16_t bind() {
    int bound = -1;
    if (options_.port == 0) {
      bound = http_->bind_to_any_port(options_.address);
    } else if (http_->bind_to_port(options_.address, options_.port)) {
      bound = options_.port;
    }
    if (bound <= 0) throw_cannot_listen();
    return static_cast<std::uint16_t>(bound);
  }

  [[noreturn]] void throw_cannot_listen() const {
    throw error(errc::bad_arguments, "a monitor cannot listen on '" + options_.address +
                                         "', port " + std::to_string(options_.port));
  }

  /// httplib ignores SIGPIPE, for the whole program.
  static std::unique_ptr<httplib::Server> made_server() {
    const msgbus::detail::keeping_sigpipe as_it_is;
    return std::make_unique<httplib::Server>();
  }

  void configure() {
    const std::size_t threads = options_.max_streams + threads_for_answers;
    http_->new_task_queue = [this, threads]() -> httplib::TaskQueue* {
      auto made = std::make_unique<workers>(threads);
      serves_ = true;
      begun_.count_down();
      return made.release();
    };
    http_->set_socket_options([](auto socket) { set_options(static_cast<int>(socket)); });
    http_->set_tcp_nodelay(true);
    http_->set_keep_alive_max_count(1);              // an idle connection would keep its thread
    http_->set_keep_alive_timeout(client_patience);  // also the time for the first request
    http_->set_read_timeout(client_patience);
    http_->set_write_timeout(client_patience);
    http_->set_payload_max_length(largest_request);
    http_->set_default_headers({
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
    });
    http_->set_pre_routing_handler(
        [this](const Request& asked, Response& to) { return answer(asked, to); });
    http_->Post("/dead-letters/(replay|discard)",
                [this](const Request& asked, Response& to) { act(asked, to); });
    http_->set_error_handler([](const Request&, Response& to) {
      if (to.body.empty())
        refuse(to, to.status,
               to.status == 413 ? "the request is too long" : "the request is malformed");
    });
    http_->set_exception_handler([](const Request&, Response& to, const std::exception_ptr& why) {
      refuse(to, 500, msgbus::describe(why));
    });
  }

  /// Answers all but actions, whose body was not read yet.
  handled answer(const Request& asked, Response& to) {
    if (!is_allowed_host(asked.get_header_value("Host"), options_.hosts)) {
      refuse(to, 403, "this host is not allowed: name it in monitor_options::hosts");
      return handled::Handled;
    }
    if (asked.has_header("Range")) {  // of many ranges, httplib copies the text for each
      refuse(to, 416, "a request for a part of a page is not supported");
      return handled::Handled;
    }
    const bool reads = asked.method == "GET" || asked.method == "HEAD";
    if (reads && serve_page(asked, to)) return handled::Handled;
    if (!options_.token.empty() &&
        !is_authorized(asked.get_header_value("Authorization"), options_.token)) {
      to.set_header("WWW-Authenticate", "Bearer realm=\"msgbus\"");
      refuse(to, 401, "a token is needed: Authorization: Bearer ...");
      return handled::Handled;
    }
    const bool is_action =
        asked.path == "/dead-letters/replay" || asked.path == "/dead-letters/discard";
    if (is_action) return admit_action(asked, to);
    if (!reads) {
      to.set_header("Allow", "GET, HEAD");
      refuse(to, 405, "only GET and HEAD are allowed");
    } else {
      serve_figures(asked, to);
    }
    return handled::Handled;
  }

  static bool serve_page(const Request& asked, Response& to) {
    const std::string path = asked.path == "/" ? "/index.html" : asked.path;
    const auto found = std::ranges::find(page_files(), path, &page_file::path);
    if (found == page_files().end()) return false;
    to.set_content(found->content.data(), found->content.size(), std::string(found->type));
    return true;
  }

  handled admit_action(const Request& asked, Response& to) {
    if (!options_.allow_actions) {
      refuse(to, 403, "actions are not allowed: set monitor_options::allow_actions");
    } else if (asked.method != "POST") {
      to.set_header("Allow", "POST");
      refuse(to, 405, "an action needs the method POST");
    } else if (!is_same_origin(asked.get_header_value("Origin"), asked.get_header_value("Host"))) {
      refuse(to, 403, "another site requested this action");
    } else if (!asked.get_header_value("Content-Type").starts_with(json_type)) {
      refuse(to, 415, "an action needs the content type application/json");
    } else if (asked.has_header("Content-Encoding") || asked.has_header("Transfer-Encoding") ||
               !asked.has_header("Content-Length")) {
      // What is packed, or of unknown length, could fill the memory.
      refuse(to, 411, "an action needs a Content-Length, and no compression");
    } else {
      return handled::Unhandled;
    }
    return handled::Handled;
  }

  void serve_figures(const Request& asked, Response& to) {
    const std::string& path = asked.path;
    if (path == "/status.json") {
      to.set_content(*content_.status.now(), json_type);
    } else if (path == "/events") {
      stream(asked, to);
    } else if (path == "/metrics") {
      const bool openmetrics =
          accepts(asked.get_header_value("Accept"), "application/openmetrics-text");
      to.set_content(content_.metrics(openmetrics),
                     openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8");
    } else if (path == "/describe.json") {
      to.set_content(content_.describe(graph_format::json), json_type);
    } else if (path == "/describe.dot") {
      to.set_content(content_.describe(graph_format::dot), "text/vnd.graphviz; charset=utf-8");
    } else if (path == "/graph.svg") {
      to.set_content(content_.picture(), "image/svg+xml");
    } else {
      refuse(to, 404, "there is no such page");
    }
  }

  void stream(const Request& asked, Response& to) {
    if (asked.method == "HEAD") return to.set_content("", "text/event-stream");
    std::shared_ptr<stream_place> place = stream_place::take(streams_, options_.max_streams);
    if (!place) {
      to.set_header("Retry-After", "5");
      return refuse(to, 503, "too many streams: see monitor_options::max_streams");
    }
    to.set_chunked_content_provider("text/event-stream", [this, place = std::move(place)](
                                                             std::size_t, httplib::DataSink& sink) {
      const document next = content_.status.wait(place->seen, heartbeat);
      if (content_.status.has_ended()) {
        sink.done();
        return true;
      }
      if (!next) return write_all(sink, ":\n\n", content_.status);
      return write_all(sink, "data: " + *next + "\n\n", content_.status);
    });
  }

  void act(const Request& asked, Response& to) {
    const auto ids = ids_in(asked.body);
    if (!ids) return refuse(to, 400, R"(the body is no {"ids": ["1-1"]})");
    const bool replays = asked.path.ends_with("replay");
    const std::size_t many =
        content_.act(replays ? letter_action::replay : letter_action::discard, *ids);
    to.status = 202;
    to.set_content(accepted_json(many), json_type);
  }

  const monitor_options options_;
  const served_content content_;
  std::atomic<std::size_t> streams_{0};
  const std::unique_ptr<httplib::Server> http_ = made_server();
  std::uint16_t port_ = 0;
  std::latch begun_{1};
  bool serves_ = false;  // written before the latch is open
  std::thread thread_;
};

http_server::http_server(const monitor_options& options, served_content content)
    : listening_(std::make_unique<listening>(options, std::move(content))) {}
http_server::~http_server() = default;

std::uint16_t http_server::port() const noexcept { return listening_->port(); }

}  // namespace msgbus::monitoring
