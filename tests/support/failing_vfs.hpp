#pragma once

// A file system under SQLite whose reads, writes and syncs fail when a test says so, and which
// knows what the loss of power would leave.

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus_test {

/// The files of a disk: names and contents.
using disk_image = std::map<std::string, std::string>;

/// A file as the disk has it, and the changes that it may still lose.
struct unsafe_file {
  struct change {
    std::size_t at;
    std::string bytes;
    bool truncates;  // to `at`
  };
  std::string synced;
  std::vector<change> unsynced;
  bool is_there = true;

  static void apply(std::string& to, std::size_t at, std::string_view bytes) {
    if (to.size() < at + bytes.size()) to.resize(at + bytes.size());
    std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(at));
  }
  /// The contents with those changes that `keeps` wants, which is asked for each sector.
  template <class Keeps>
  [[nodiscard]] std::string with(Keeps keeps) const {
    constexpr std::size_t sector = 512;
    std::string made = synced;
    for (const change& each : unsynced) {
      if (each.truncates) {
        if (keeps()) made.resize(each.at);
        continue;
      }
      const std::string_view all(each.bytes);
      for (std::size_t done = 0; done < all.size(); done += sector) {
        if (keeps()) apply(made, each.at + done, all.substr(done, sector));
      }
    }
    return made;
  }
};

/// Registered as "failing" as long as the program runs. Everything else is the default one's.
class failing_vfs {
 public:
  enum class operation { read, write, sync };

  static failing_vfs& instance() {
    static failing_vfs one;
    return one;
  }

  /// Operations of this kind fail from the nth on, `times` of them.
  void fail(operation which, int code, int nth, int times) {
    which_ = which;
    code_ = code;
    count_ = 0;
    last_ = nth + times - 1;
    first_ = nth;
  }
  void repair() { first_ = 0; }
  /// From now on databases are opened read-only, whatever the rights of the program; their lock
  /// files are not.
  void make_read_only(bool are_so) { read_only_ = are_so; }
  /// How many operations of the kind have been counted.
  [[nodiscard]] int count() const { return count_; }

  /// From now on all files that are opened are watched. `before` is called before each write and
  /// each sync, on the thread of the database; it may ask what the loss of power would leave.
  void record(std::function<void()> before) {
    files_.clear();
    before_ = std::move(before);
    recording_ = true;
  }
  void stop_recording() {
    recording_ = false;
    before_ = nullptr;
  }
  /// A disk that has lost its power now: of what was not synced, each sector is there with this
  /// probability, in whatever order it was written.
  [[nodiscard]] disk_image without_power(std::mt19937& random, double kept) {
    const std::lock_guard lock(mutex_);
    std::bernoulli_distribution keeps(kept);
    disk_image all;
    for (const auto& [name, left] : files_) {
      if (left.is_there) all[name] = left.with([&] { return keeps(random); });
    }
    return all;
  }

 private:
  struct file {
    sqlite3_file base;
    sqlite3_file* real;
    unsafe_file* watched;  // null: it is not
  };

  failing_vfs() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "failing";
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
    vfs_.xOpen = &open;
    vfs_.xDelete = &remove;
    vfs_.pNext = nullptr;
    if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) throw std::runtime_error("no VFS");
  }

  static sqlite3_file* of(sqlite3_file* wrapped) { return reinterpret_cast<file*>(wrapped)->real; }

  /// 0: it goes on.
  int next(operation which) {
    if (first_ == 0 || which != which_) return 0;
    const int now = ++count_;
    return now >= first_ && now <= last_ ? code_.load() : 0;
  }

  /// The loss of power brings back no file: SQLite syncs the folder.
  static int remove(sqlite3_vfs*, const char* name, int sync) {
    failing_vfs& self = instance();
    {
      const std::lock_guard lock(self.mutex_);
      const auto found = self.files_.find(name);
      if (found != self.files_.end()) {
        found->second = unsafe_file();
        found->second.is_there = false;
      }
    }
    return self.real_->xDelete(self.real_, name, sync);
  }

  void note(sqlite3_file* f, unsafe_file::change made) {
    unsafe_file* const watched = reinterpret_cast<file*>(f)->watched;
    if (watched == nullptr || !recording_) return;
    before_();
    const std::lock_guard lock(mutex_);
    watched->unsynced.push_back(std::move(made));
  }
  void note_sync(sqlite3_file* f) {
    unsafe_file* const watched = reinterpret_cast<file*>(f)->watched;
    if (watched == nullptr || !recording_) return;
    before_();
    const std::lock_guard lock(mutex_);
    watched->synced = watched->with([] { return true; });
    watched->unsynced.clear();
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* made, int flags, int* out) {
    failing_vfs& self = instance();
    auto* const mine = reinterpret_cast<file*>(made);
    mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
    const bool is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0 && name != nullptr &&
                             !std::string_view(name).ends_with("-owner");
    if (self.read_only_ && is_database) {
      flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    }
    const int result = self.real_->xOpen(self.real_, name, mine->real, flags, out);
    mine->watched = nullptr;
    if (self.recording_ && name != nullptr && result == SQLITE_OK) {
      const std::lock_guard lock(self.mutex_);
      mine->watched = &self.files_[name];
      mine->watched->is_there = true;
    }
    mine->base.pMethods = mine->real->pMethods ? &methods() : nullptr;
    return result;
  }

  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods all = [] {
      sqlite3_io_methods made{};
      made.iVersion = 2;
      made.xClose = [](sqlite3_file* f) { return of(f)->pMethods->xClose(of(f)); };
      made.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
        if (const int code = instance().next(operation::read)) return code;
        return of(f)->pMethods->xRead(of(f), to, size, at);
      };
      made.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
        if (const int code = instance().next(operation::write)) return code;
        instance().note(
            f,
            {static_cast<std::size_t>(at),
             std::string(static_cast<const char*>(from), static_cast<std::size_t>(size)), false});
        return of(f)->pMethods->xWrite(of(f), from, size, at);
      };
      made.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        instance().note(f, {static_cast<std::size_t>(size), {}, true});
        return of(f)->pMethods->xTruncate(of(f), size);
      };
      made.xSync = [](sqlite3_file* f, int flags) {
        if (const int code = instance().next(operation::sync)) return code;
        instance().note_sync(f);
        return of(f)->pMethods->xSync(of(f), flags);
      };
      made.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
        return of(f)->pMethods->xFileSize(of(f), size);
      };
      made.xLock = [](sqlite3_file* f, int lock) { return of(f)->pMethods->xLock(of(f), lock); };
      made.xUnlock = [](sqlite3_file* f, int lock) {
        return of(f)->pMethods->xUnlock(of(f), lock);
      };
      made.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return of(f)->pMethods->xCheckReservedLock(of(f), out);
      };
      made.xFileControl = [](sqlite3_file* f, int what, void* with) {
        return of(f)->pMethods->xFileControl(of(f), what, with);
      };
      made.xSectorSize = [](sqlite3_file* f) { return of(f)->pMethods->xSectorSize(of(f)); };
      made.xDeviceCharacteristics = [](sqlite3_file* f) {
        return of(f)->pMethods->xDeviceCharacteristics(of(f));
      };
      made.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** at) {
        return of(f)->pMethods->xShmMap(of(f), page, size, extend, at);
      };
      made.xShmLock = [](sqlite3_file* f, int at, int count, int flags) {
        return of(f)->pMethods->xShmLock(of(f), at, count, flags);
      };
      made.xShmBarrier = [](sqlite3_file* f) { of(f)->pMethods->xShmBarrier(of(f)); };
      made.xShmUnmap = [](sqlite3_file* f, int remove) {
        return of(f)->pMethods->xShmUnmap(of(f), remove);
      };
      return made;
    }();
    return all;
  }

  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_;
  std::atomic<operation> which_{operation::write};
  std::atomic<int> code_{0};
  std::atomic<int> first_{0};  // 0: nothing fails
  std::atomic<int> last_{0};
  std::atomic<int> count_{0};
  std::atomic<bool> recording_{false};
  std::atomic<bool> read_only_{false};
  std::function<void()> before_;
  std::mutex mutex_;
  std::map<std::string, unsafe_file> files_;  // under the mutex
};

}  // namespace msgbus_test
