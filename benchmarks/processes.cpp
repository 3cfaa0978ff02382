#include "processes.hpp"

#include "links.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

namespace {

[[noreturn]] void fail_in_system(const char* doing) {
  std::fprintf(stderr, "\nprocesses: %s: %s\n", doing, std::strerror(errno));
  std::_Exit(1);
}

void must(bool done, const char* doing) {
  if (!done) fail_in_system(doing);
}

void wait_for(sem_t& what) {
  while (sem_wait(&what) != 0) must(errno == EINTR, "waiting");
}

void wait_for(sem_t& what, std::chrono::seconds patience) {
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += patience.count();
  while (sem_timedwait(&what, &until) != 0) must(errno == EINTR, "waiting for a child");
}

/// The states of the children come after what they share.
std::size_t offset_of_states() {
  constexpr std::size_t line = alignof(child_state);
  return (sizeof(shared_state) + line - 1) / line * line;
}

std::size_t size_for(unsigned count) { return offset_of_states() + count * sizeof(child_state); }

void* map(int memory, std::size_t size) {
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  must(at != MAP_FAILED, "mapping memory");
  return at;
}

child_state* states_at(void* memory) {
  return std::launder(
      reinterpret_cast<child_state*>(static_cast<char*>(memory) + offset_of_states()));
}

std::string prefix_out_of(const shared_state& of) { return std::string(of.name) + "_out"; }
std::string prefix_in_of(const shared_state& of) { return std::string(of.name) + "_in"; }

asio::awaitable<void> send_to_parent(msgbus::async::producer& from, std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) {
    const blob event = made_now();
    auto sending = from.send(event);
    (void)co_await std::move(sending);
  }
}

[[noreturn]] void run_member(shared_state& all, child_state& self) {
  asio::io_context here{1};
  roaming_context there;
  msgbus::async::consumer to{there.executor()};
  msgbus::async::producer from;
  msgbus::bridge joined = connected(there.executor(), all.url);
  to.handler([&](const blob& event) {
    self.latency_ns = age(event);
    if (++self.handled == self.goal) sem_post(&all.done);
  });
  msgbus::inbound_options taking;
  taking.prefix = prefix_out_of(all);
  joined.inbound<blob>(to, taking);
  msgbus::outbound_options sending;
  sending.prefix = prefix_in_of(all);
  joined.outbound<blob>(from, sending);
  flush(joined);
  sem_post(&all.done);
  for (;;) {
    wait_for(self.go);
    run_here(here, send_to_parent(from, self.to_send));
  }
}

[[noreturn]] void run_links(shared_state& all, child_state& self) {
  many_links links(all.what == child_role::inbound_links, all.url, all.name);
  self.kib_a_link = links.kib_a_link();
  sem_post(&all.done);
  for (;;) {
    wait_for(self.go);
    links.send(self.to_send);
    self.handled += self.to_send;
    sem_post(&all.done);
  }
}

}  // namespace

blob made_now() {
  return blob(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                         std::chrono::nanoseconds(1)));
}

std::uint64_t age(const blob& of) {
  std::uint64_t made = 0;
  std::memcpy(&made, of.bytes.data(), sizeof made);
  std::uint64_t now = 0;
  std::memcpy(&now, made_now().bytes.data(), sizeof now);
  return now - made;
}

processes::processes(child_role what, unsigned count) : count_(count), size_(size_for(count)) {
  const int memory = memfd_create("msgbus_bench", 0);
  must(memory >= 0 && ftruncate(memory, static_cast<off_t>(size_)) == 0, "making memory");
  void* const at = map(memory, size_);
  all_ = new (at) shared_state;
  all_->what = what;
  all_->count = count;
  must(sem_init(&all_->done, 1, 0) == 0, "making a semaphore");
  std::snprintf(all_->url, sizeof all_->url, "%s", server_url().c_str());
  std::snprintf(all_->name, sizeof all_->name, "%s", new_name("processes").c_str());
  states_ = states_at(at);
  for (unsigned i = 0; i < count; ++i) {
    auto* const made = new (states_ + i) child_state;
    must(sem_init(&made->go, 1, 0) == 0, "making a semaphore");
  }
  for (unsigned i = 0; i < count; ++i) start(memory, i);
  close(memory);
  wait_for_goals();
}

processes::~processes() {
  for (const pid_t each : ids_) kill(each, SIGKILL);
  for (const pid_t each : ids_) waitpid(each, nullptr, 0);
  munmap(all_, size_);
}

// This process has other threads: between fork and exec nothing is called that may take a lock.
void processes::start(int memory, unsigned index) {
  const std::string descriptor = std::to_string(memory), number = std::to_string(index);
  std::string program = "msgbus_bench", hidden = child_argument, first = descriptor,
              second = number;
  char* const line[] = {program.data(), hidden.data(), first.data(), second.data(), nullptr};
  const pid_t parent = getpid();
  const pid_t made = fork();
  must(made >= 0, "forking");
  if (made == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // it died before
    // A socket that a child has too is not closed when its owner closes it.
    if (memory > 3) close_range(3, static_cast<unsigned>(memory) - 1, 0);
    close_range(static_cast<unsigned>(memory) + 1, ~0U, 0);
    execv("/proc/self/exe", line);
    _exit(127);
  }
  ids_.push_back(made);
}

void processes::wait_for_goals() const {
  for (unsigned i = 0; i < count_; ++i) wait_for(all_->done, std::chrono::seconds(20));
}

std::string processes::prefix_out() const { return prefix_out_of(*all_); }
std::string processes::prefix_in() const { return prefix_in_of(*all_); }

void run_child(const char* memory, const char* index) {
  const int descriptor = std::atoi(memory);
  const off_t size = lseek(descriptor, 0, SEEK_END);
  must(size > 0, "finding the memory of the parent");
  void* const at = map(descriptor, static_cast<std::size_t>(size));
  auto& all = *std::launder(static_cast<shared_state*>(at));
  const auto number = static_cast<unsigned>(std::atoi(index));
  if (number >= all.count) std::_Exit(2);
  child_state& self = states_at(at)[number];
  if (all.what == child_role::member) run_member(all, self);
  run_links(all, self);
}

}  // namespace bench
