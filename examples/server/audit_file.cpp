#include "audit_file.hpp"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace exchange {
namespace {

using namespace std::chrono_literals;

// A line waits so long for others: to write costs much more than to add a line.
constexpr auto gathering = 2ms;

// Nobody waits for the disk in an orderly run, so who does may look again now and then.
asio::awaitable<void> pause() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

audit_file::audit_file(const std::string& name) : name_(name) {
  if (name.empty()) return;
  out_.open(name, std::ios::trunc);
  if (!out_) {
    throw std::system_error(errno, std::generic_category(), "cannot open the audit log " + name_);
  }
  writer_ = std::thread([this] { write_all(); });
}

audit_file::~audit_file() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }
  writer_.join();
}

void audit_file::check_locked() const {
  if (failed_) throw std::runtime_error("cannot write the audit log " + name_);
}

void audit_file::added_locked() {
  lines_ += '\n';
  // The writer is asleep, or gathers, or looks again.
  if (waiting_.exchange(lines_.size()) == 0) changed_.notify_one();
}

void audit_file::write_all() {
  std::string batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !lines_.empty(); });
    if (lines_.empty()) return;
    changed_.wait_for(lock, gathering, [this] { return ending_; });
    std::swap(batch, lines_);
    waiting_.store(0);
    const std::uint64_t last = count_;
    lock.unlock();
    out_ << batch << std::flush;
    batch.clear();
    lock.lock();
    failed_ = failed_ || !out_;
    written_ = last;
  }
}

asio::awaitable<void> audit_file::room() const {
  while (full()) co_await pause();
}

std::uint64_t audit_file::unwritten() const {
  const std::lock_guard lock(mutex_);
  return count_ - written_;
}

asio::awaitable<void> audit_file::written(std::chrono::steady_clock::time_point deadline) const {
  while (unwritten() > 0 && std::chrono::steady_clock::now() < deadline) co_await pause();
}

}  // namespace exchange
