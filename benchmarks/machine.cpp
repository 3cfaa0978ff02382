#include "machine.hpp"

#include "thread_group.hpp"

#include <cstdlib>
#include <ctime>
#include <fstream>

#include <sys/utsname.h>

#ifdef MSGBUS_BENCH_WITH_SIGNALS2
#include <boost/version.hpp>
#endif
#ifdef MSGBUS_BENCH_WITH_ASYNC
#include <asio/version.hpp>
#endif
#ifdef MSGBUS_BENCH_WITH_CAF
#include <caf/config.hpp>
#endif
#ifdef MSGBUS_BENCH_WITH_DURABLE
#include <sqlite3.h>
#endif
#ifdef MSGBUS_BENCH_WITH_NATS
#include "over_nats.hpp"
#endif

namespace bench {

namespace {

/// The value of the first line of a file that begins with `field`.
std::string field_of(const char* path, const std::string& field) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field)) continue;
    const auto colon = line.find(':');
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "unknown";
}

#ifdef MSGBUS_BENCH_WITH_ASYNC
/// 1.22.1 of 102201, where the parts have so many values.
std::string version(int number, int minors_and_patches, int minors) {
  const int patches = minors_and_patches / minors;
  return std::to_string(number / minors_and_patches) + "." +
         std::to_string(number / patches % minors) + "." + std::to_string(number % patches);
}
#endif

}  // namespace

double load() {
  double average = 0;
  return getloadavg(&average, 1) == 1 ? average : -1;
}

setting describe(const std::string& revision, const options& how, double load_before) {
  setting all;
  char date[32] = "";
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  all.add("date", std::string(date));
  all.add("revision", revision);
  all.add("mode", std::string(how.quick ? "quick" : "full"));
  all.add("cpu", field_of("/proc/cpuinfo", "model name"));
  all.add("cores", cores());
  const double kib = std::atof(field_of("/proc/meminfo", "MemTotal").c_str());
  all.add("memory_gib", kib / 1024 / 1024);
  utsname system{};
  if (uname(&system) == 0) {
    all.add("kernel", std::string(system.sysname) + " " + system.release + " " + system.machine);
  }
  all.add("load_before", load_before);
  all.add("compiler", std::string(MSGBUS_BENCH_COMPILER));
  all.add("flags", std::string(MSGBUS_BENCH_FLAGS));
  all.add("build_type", std::string(MSGBUS_BENCH_BUILD_TYPE));
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
  all.add("boost", std::string(BOOST_LIB_VERSION));
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
  all.add("libsigc++", std::string(MSGBUS_BENCH_WITH_SIGCPP));
#endif
#ifdef MSGBUS_BENCH_WITH_ASYNC
  all.add("asio", version(ASIO_VERSION, 100'000, 1000));
#endif
#ifdef MSGBUS_BENCH_WITH_CAF
  all.add("caf", version(CAF_VERSION, 10'000, 100));
#endif
#ifdef MSGBUS_BENCH_WITH_ZEROMQ
  all.add("zeromq", std::string(MSGBUS_BENCH_WITH_ZEROMQ));
#endif
#ifdef MSGBUS_BENCH_WITH_NATS
  all.add("nats.c", std::string(nats_GetVersion()));
  if (const std::string version = server_version(); !version.empty()) {
    all.add("nats-server", version);
  }
#endif
#ifdef MSGBUS_BENCH_WITH_DURABLE
  all.add("sqlite", std::string(sqlite3_libversion()));
#endif
#ifdef MSGBUS_BENCH_WITH_TBB
  all.add("tbb", std::string(MSGBUS_BENCH_WITH_TBB));
#endif
  return all;
}

}  // namespace bench
