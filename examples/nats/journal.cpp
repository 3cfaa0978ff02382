#include "journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace exchange {
namespace {

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool read_line(const std::string& text, journal::line& to) {
  std::istringstream in(text);
  return static_cast<bool>(in >> to.what >> to.message_id >> to.order >> to.worker >> to.attempt);
}

}  // namespace

/// The file for this process alone, and all that others have written read.
class journal::locked {
 public:
  explicit locked(journal& of) : file_(of.file_) {
    while (::flock(file_, LOCK_EX) != 0) {
      if (errno != EINTR) throw_errno("cannot lock the journal");
    }
    of.catch_up();
  }
  locked(const locked&) = delete;
  locked& operator=(const locked&) = delete;
  ~locked() { ::flock(file_, LOCK_UN); }

 private:
  int file_;
};

journal::journal(const std::string& file, std::string worker) : worker_(std::move(worker)) {
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) throw_errno("cannot open the journal " + file);
}

journal::~journal() { ::close(file_); }

bool journal::begin(std::string_view message_id, std::int64_t order, unsigned attempt) {
  const locked mine(*this);
  const bool is_new = !handled_.contains(std::string(message_id));
  write(is_new ? "begun" : "duplicate", message_id, order, attempt);
  return is_new;
}

bool journal::handled(std::string_view message_id, std::int64_t order, unsigned attempt) {
  const locked mine(*this);
  const bool is_first = !handled_.contains(std::string(message_id));
  write(is_first ? "handled" : "overtaken", message_id, order, attempt);
  return is_first;
}

void journal::failed(std::string_view message_id, std::int64_t order, unsigned attempt) {
  const locked mine(*this);
  write("failed", message_id, order, attempt);
}

void journal::catch_up() {
  std::string fresh;
  char bytes[16 * 1024];
  for (;;) {
    const ssize_t count =
        ::pread(file_, bytes, sizeof bytes, read_to_ + static_cast<std::int64_t>(fresh.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno("cannot read the journal");
    if (count == 0) break;
    fresh.append(bytes, static_cast<std::size_t>(count));
  }
  std::size_t begin = 0;
  for (std::size_t end = fresh.find('\n'); end != std::string::npos;
       end = fresh.find('\n', begin)) {
    line one;
    if (read_line(fresh.substr(begin, end - begin), one) && one.what == "handled") {
      handled_.insert(std::move(one.message_id));
    }
    begin = end + 1;
  }
  read_to_ += static_cast<std::int64_t>(begin);
  // Whoever wrote half a line is gone: nobody has relied on it.
  if (begin != fresh.size() && ::ftruncate(file_, read_to_) != 0) {
    throw_errno("cannot cut half a line off the journal");
  }
}

void journal::write(const char* what, std::string_view message_id, std::int64_t order,
                    unsigned attempt) {
  std::string text = what;
  text += ' ';
  text += message_id;
  text += ' ' + std::to_string(order) + ' ' + worker_ + ' ' + std::to_string(attempt) + '\n';
  if (::write(file_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("cannot write the journal");
  }
  catch_up();
}

std::vector<journal::line> journal::read(const std::string& file) {
  std::vector<line> all;
  std::ifstream in(file);
  for (std::string text; std::getline(in, text) && !in.eof();) {
    line one;
    if (read_line(text, one)) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace exchange
