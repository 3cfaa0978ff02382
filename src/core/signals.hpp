#pragma once

/// Leaves the signals of a program to the program.

#include <csignal>

namespace msgbus::detail {

/// Threads that begin while it exists get no signals: handlers of the program run on its own
/// threads, and a write to a socket whose peer has gone is an error, and does not end the program.
class without_signals {
 public:
  without_signals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  without_signals(const without_signals&) = delete;
  without_signals& operator=(const without_signals&) = delete;
  ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// What a library does to SIGPIPE while it exists is taken back.
class keeping_sigpipe {
 public:
  keeping_sigpipe() noexcept { ::sigaction(SIGPIPE, nullptr, &before_); }
  keeping_sigpipe(const keeping_sigpipe&) = delete;
  keeping_sigpipe& operator=(const keeping_sigpipe&) = delete;
  ~keeping_sigpipe() { ::sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_{};
};

}  // namespace msgbus::detail
