// msgbus_bench [--quick] [--json FILE] [--revision TEXT] [--list] [family or workload...]
// msgbus_bench [--json FILE] [--revision TEXT] --soak MINUTES
// msgbus_bench --send COUNT WORKLOAD ROW      only sends so many messages, for a profiler

#include "buses.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "workloads.hpp"

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#ifdef MSGBUS_BENCH_WITH_NATS
#include "processes.hpp"
#include "soak.hpp"
#endif

namespace {

using namespace bench;

struct arguments {
  options how;
  std::string json;
  std::string revision = "unknown";
  std::vector<std::string> wanted;  // in lower case; empty for all
  bool list = false;
  std::uint64_t send = 0;
  double soak = 0;  // minutes
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

arguments parse(int argc, char** argv) {
  arguments given;
  for (int i = 1; i < argc; ++i) {
    const std::string each = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 < argc) return argv[++i];
      std::fprintf(stderr, "%s wants a value\n", each.c_str());
      std::exit(2);
    };
    if (each == "--quick") {
      given.how.quick = true;
    } else if (each == "--list") {
      given.list = true;
    } else if (each == "--send") {
      given.send = std::strtoull(value().c_str(), nullptr, 10);
    } else if (each == "--soak") {
      given.soak = std::atof(value().c_str());
      if (!(given.soak > 0)) {
        std::fprintf(stderr, "--soak wants a number of minutes\n");
        std::exit(2);
      }
    } else if (each == "--json") {
      given.json = value();
    } else if (each == "--revision") {
      given.revision = value();
    } else if (each.starts_with("-")) {
      std::fprintf(stderr,
                   "usage: %s [--quick] [--json FILE] [--revision TEXT] [--list] "
                   "[family or workload...]\n"
                   "       %s [--json FILE] [--revision TEXT] --soak MINUTES\n"
                   "       %s --send COUNT WORKLOAD ROW\n",
                   argv[0], argv[0], argv[0]);
      std::exit(2);
    } else {
      given.wanted.push_back(lower(each));
    }
  }
  return given;
}

/// `scaling` selects scaling_topics, and S1 selects S1.
bool selects(const std::string& wanted, const std::string& id) {
  return lower(id) == wanted || lower(id).starts_with(wanted + "_");
}

/// The workloads of msgbus::sync, of msgbus::async, of bridges over NATS, or of durable messages.
struct family {
  std::string name;
  std::vector<workload> workloads;
  std::vector<growth> growths;
  bool roams = false;  // its threads may run on all cores
};

std::vector<family> families([[maybe_unused]] bool quick) {
  return {
      {"sync",
       {s1_dispatch(), s2_dispatch_ten(), s3_subscribe_cancel(), s4_topics(), s5_threads(),
        s6_depends(), s7_execute()},
       scaling()},
#ifdef MSGBUS_BENCH_WITH_ASYNC
      {"async",
       {a1_post(),
        a2_two_producers(),
        a3_send(),
        a4_consume(),
        a5_dispatch(),
        a6_round_trip(),
        a7_thousand_mailboxes(),
        a8_slow_consumer(),
        a9_wake(),
        m1_memory(),
        m2_many(),
        p1_breaker(),
        p2_rate_limit(),
        p3_limits_of_runs(),
        p4_other_parts(),
        p5_per_key(),
        p6_scheduled(),
        o1_counts(),
        o2_times(),
        o3_traces(),
        o3_sync_traces(),
#ifdef MSGBUS_BENCH_WITH_MONITOR
        o4_monitor(),
#endif
        o5_rate(),
        o5_stops()},
       {mailboxes(), o5_scrape()}},
#endif
#ifdef MSGBUS_BENCH_WITH_NATS
      {"nats",
       {n1_publish(), n2_remote_execute(), n2_in_flight(), n3_durable_publish(),
        n4_durable_consume(), n5_json_events(), n6_latency(quick), n6_links()},
       {n6_processes()},
       true},
#endif
#ifdef MSGBUS_BENCH_WITH_DURABLE
      {"durable",
       {
           w1_transactions(),
           w2_one_at_a_time(),
           w3_handled(),
#ifdef MSGBUS_BENCH_WITH_NATS
           w4_stream(),
#endif
       },
       {},
       true},
#endif
  };
}

bool is_wanted(const arguments& given, const family& of, const std::string& id) {
  return given.wanted.empty() ||
         std::any_of(given.wanted.begin(), given.wanted.end(),
                     [&](const std::string& each) { return each == of.name || selects(each, id); });
}

/// A process that never had a second thread flatters everybody: locks and counts of references
/// are cheaper in it. So there is one, asleep.
class sleeper {
 public:
  sleeper()
      : thread_([this] {
          std::unique_lock lock(mutex_);
          wake_.wait(lock, [this] { return over_; });
        }) {}
  ~sleeper() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the others
};

/// For profilers: one row of one workload, not timed.
int send_only(const std::vector<family>& all, const arguments& given) {
  for (const family& of : all) {
    for (const workload& w : of.workloads) {
      if (given.wanted.size() != 2 || !selects(given.wanted[0], w.id)) continue;
      for (const contender& each : w.contenders) {
        if (lower(each.name) != given.wanted[1]) continue;
        const subject sender = each.make();
        if (sender.stock) sender.stock(given.send);
        sender.before();
        sender.send(given.send);
        sender.after();
        return sender.handled() == given.send * each.handlers ? 0 : 1;
      }
    }
  }
  std::fprintf(stderr, "--send COUNT wants a workload and the name of one of its rows\n");
  return 2;
}

result run(const workload& w, options how) {
  how.lasting = w.lasting;
  how.few = w.few;
  result r{w, measure(w.id, w.contenders, w.sample_ms, how), {}};
  for (const target& each : w.targets) r.verdicts.push_back(judge(each, r.rows));
  return r;
}

curve_result run(growth g, const options& how) {
  // A smoke test has no time to set a million topics up.
  if (how.quick && !g.quick_sizes.empty()) {
    g.sizes = g.quick_sizes;
  } else if (how.quick) {
    std::erase_if(g.sizes, [](std::uint64_t size) { return size > 1000; });
  }
  curve_result r{g, {}};
  options fewer = how;
  fewer.points = true;
  fewer.few = g.few;
  for (const std::uint64_t size : g.sizes) {
    r.points.push_back(measure(g.id + " " + std::to_string(size), g.at(size), g.sample_ms, fewer));
  }
  for (const growth_target& each : g.targets) {
    if (const auto judged = judge(each, r)) r.verdicts.push_back(*judged);
  }
  return r;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef MSGBUS_BENCH_WITH_NATS
  if (argc == 4 && std::string(argv[1]) == child_argument) run_child(argv[2], argv[3]);
#endif
  const arguments given = parse(argc, argv);
  const double load_before = load();
  const std::vector<family> all = families(given.how.quick);
  if (given.send > 0) return send_only(all, given);
  if (given.soak > 0) {
#ifdef MSGBUS_BENCH_WITH_NATS
    return run_soak(given.soak, describe(given.revision, given.how, load_before), given.json) ? 0
                                                                                              : 1;
#else
    std::fprintf(stderr, "the benchmarks over NATS are left out of this build\n");
    return 2;
#endif
  }

  std::vector<std::string> names;  // that may be asked for
  for (const family& of : all) {
    for (const workload& each : of.workloads) names.push_back(each.id);
    for (const growth& each : of.growths) names.push_back(each.id);
  }
  if (given.list) {
    for (const std::string& each : names) std::printf("%s\n", each.c_str());
    return 0;
  }
  for (const family& of : all) names.push_back(of.name);
  for (const std::string& each : given.wanted) {
    if (std::none_of(names.begin(), names.end(),
                     [&](const std::string& name) { return selects(each, name); })) {
      std::fprintf(stderr, "no workload is called %s; --list shows them\n", each.c_str());
      return 2;
    }
  }

  if (load_before > 0.5) {
    std::fprintf(stderr, "the machine is busy (load %.1f): figures with threads will mislead\n",
                 load_before);
  }
  const sleeper second_thread;
  std::vector<result> results;
  std::vector<curve_result> curves;
  for (const family& of : all) {
    if (of.roams) {
      roam();
    } else {
      stay_on(0);
    }
    for (const workload& each : of.workloads) {
      if (!is_wanted(given, of, each.id)) continue;
      results.push_back(run(each, given.how));
      print(results.back());
    }
    for (const growth& each : of.growths) {
      if (!is_wanted(given, of, each.id)) continue;
      curves.push_back(run(each, given.how));
      print(curves.back());
    }
  }

  std::vector<verdict> verdicts;
  const auto add = [&verdicts](const std::vector<verdict>& more) {
    verdicts.insert(verdicts.end(), more.begin(), more.end());
  };
  for (const result& each : results) add(each.verdicts);
  for (const curve_result& each : curves) add(each.verdicts);
  const auto met =
      std::count_if(verdicts.begin(), verdicts.end(), [](const verdict& each) { return each.met; });
  std::printf("\ntargets: %td of %zu met; every message was handled\n", met, verdicts.size());
  if (!given.json.empty() &&
      !write_json(given.json, describe(given.revision, given.how, load_before), results, curves)) {
    std::fprintf(stderr, "cannot write %s\n", given.json.c_str());
    return 1;
  }
  return 0;
}
