#pragma once

// A file system under SQLite whose writes and syncs fail when a test says so.

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <stdexcept>

namespace msgbus_test {

/// Registered as "failing" as long as the program runs. Everything else is the default one's.
class failing_vfs {
 public:
  enum class operation { write, sync };

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
  /// How many operations of the kind have been counted.
  [[nodiscard]] int count() const { return count_; }

 private:
  struct file {
    sqlite3_file base;
    sqlite3_file* real;
  };

  failing_vfs() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "failing";
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
    vfs_.xOpen = &open;
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

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* made, int flags, int* out) {
    failing_vfs& self = instance();
    auto* const mine = reinterpret_cast<file*>(made);
    mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
    const int result = self.real_->xOpen(self.real_, name, mine->real, flags, out);
    mine->base.pMethods = mine->real->pMethods ? &methods() : nullptr;
    return result;
  }

  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods all = [] {
      sqlite3_io_methods made{};
      made.iVersion = 2;
      made.xClose = [](sqlite3_file* f) { return of(f)->pMethods->xClose(of(f)); };
      made.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
        return of(f)->pMethods->xRead(of(f), to, size, at);
      };
      made.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
        if (const int code = instance().next(operation::write)) return code;
        return of(f)->pMethods->xWrite(of(f), from, size, at);
      };
      made.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        return of(f)->pMethods->xTruncate(of(f), size);
      };
      made.xSync = [](sqlite3_file* f, int flags) {
        if (const int code = instance().next(operation::sync)) return code;
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
};

}  // namespace msgbus_test
