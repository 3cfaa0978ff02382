#include "soak.hpp"

#include "memory.hpp"
#include "soak_side.hpp"
#include "support/nats_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <thread>
#include <vector>

namespace bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto between_kills = 20s;
constexpr auto longest_end = 60s;        // with what must come to an end
constexpr double most_a_second = 200e3;  // messages of one kind and direction
constexpr double may_grow_kib = 4096;

unsigned long long shown(std::uint64_t number) { return number; }

/// Memory, once a second, without what the heap has free: how much that is depends on the longest
/// queue that there ever was, and on the number of threads.
class resident_samples {
 public:
  void add() {
    peak_ = std::max(peak_, resident_kib());
    give_back_free_memory();
    kib_.push_back(resident_kib());
  }
  [[nodiscard]] double last() const { return kib_.empty() ? 0 : kib_.back(); }
  /// Of the whole run, with what the heap had free.
  [[nodiscard]] double peak() const { return peak_; }

  /// Of the run's quarters, the median of one.
  [[nodiscard]] double quarter(std::size_t which) const {
    const auto begin = kib_.begin() + static_cast<std::ptrdiff_t>(kib_.size() * which / 4);
    const auto end = kib_.begin() + static_cast<std::ptrdiff_t>(kib_.size() * (which + 1) / 4);
    std::vector<double> part(begin, end);
    if (part.empty()) return 0;
    const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
    std::nth_element(part.begin(), middle, part.end());
    return *middle;
  }

 private:
  std::vector<double> kib_;
  double peak_ = 0;
};

class soak {
 public:
  explicit soak(double minutes)
      : minutes_(minutes),
        there_(static_cast<std::size_t>(minutes * 60 * most_a_second)),
        back_(static_cast<std::size_t>(minutes * 60 * most_a_second)),
        left_(server_.url(), "left", "right", there_, back_),
        right_(server_.url(), "right", "left", back_, there_) {}

  /// Sends, and kills the server, for the given time; then waits until what was stored is handled.
  void run() {
    left_.start();
    right_.start();
    const auto start = clock::now();
    const auto end = start + std::chrono::duration_cast<clock::duration>(
                                 std::chrono::duration<double, std::ratio<60>>(minutes_));
    auto next_kill = start + between_kills;
    // None at the very end, so that the last one is followed by what it has broken.
    for (auto now = start; now < end; now = clock::now()) {
      if (now >= next_kill && end - now > between_kills / 4) {
        server_.kill();
        server_.restart();
        ++kills_;
        next_kill += between_kills;
        print_progress(start);
      }
      memory_.add();
      std::this_thread::sleep_until(std::min(now + 1s, end));
    }
    seconds_ = std::chrono::duration<double>(clock::now() - start).count();
    left_.stop();
    right_.stop();
    wait_until([&] { return left_.is_idle() && right_.is_idle(); });
    wait_until([&] { return lost(there_) + lost(back_) == 0; });
    print_progress(start);
  }

  [[nodiscard]] std::string server_version() const { return version_in(server_.log()); }

  /// Prints it. Gives whether the promises were kept.
  bool report(const setting& of, const std::string& json) const {
    const std::uint64_t given = left_.deliveries() + right_.deliveries();
    const std::uint64_t runs =
        sum(&soak_direction::handled) + sum(&soak_direction::again) + sum(&soak_direction::untold);
    const double grown = memory_.quarter(3) - memory_.quarter(1);
    const std::vector<verdict> verdicts = {
        zero("messages that `store` has stored", "lost", lost(there_) + lost(back_)),
        zero("stored messages", "stored twice", sum(&soak_direction::places_differ)),
        zero("runs of a handler", "without a delivery of its own", runs > given ? runs - given : 0),
        zero("messages handled again", "with `attempt()` 1", sum(&soak_direction::untold)),
        zero("live messages", "received twice", sum(&soak_direction::live_twice)),
        {"memory", "the median of the last quarter ≤ 4 096 KiB above that of the second", grown,
         std::to_string(static_cast<long long>(grown)) + " KiB", grown <= may_grow_kib},
    };
    std::string rows;
    for (const auto& [name, value] : figures()) {
      std::printf("  %-64s %14.0f\n", name.c_str(), value);
      char line[256];
      std::snprintf(line, sizeof line, "%s\n    {\"name\": \"%s\", \"value\": %.0f}",
                    rows.empty() ? "" : ",", name.c_str(), value);
      rows += line;
    }
    std::string targets;
    bool kept = true;
    for (const verdict& each : verdicts) {
      kept = kept && each.met;
      std::printf("  %-7s %s: %s, %s\n", each.met ? "kept" : "BROKEN", each.row.c_str(),
                  each.text.c_str(), each.shown.c_str());
      targets += (targets.empty() ? "\n    " : ",\n    ") + json_of(each);
    }
    std::printf("soak: %s\n", kept ? "every promise was kept" : "A PROMISE WAS BROKEN");
    return (json.empty() || write(json, of, rows, targets)) && kept;
  }

 private:
  static std::uint64_t lost(const soak_direction& all) {
    return all.stored_bits.missing_in(all.handled_bits);
  }
  [[nodiscard]] std::uint64_t sum(std::atomic<std::uint64_t> soak_direction::* of) const {
    return there_.*of + back_.*of;
  }
  static verdict zero(std::string of, std::string what, std::uint64_t count) {
    return {std::move(of), "none " + std::move(what), static_cast<double>(count),
            std::to_string(count), count == 0};
  }

  template <class Condition>
  void wait_until(Condition holds) const {
    const auto until = clock::now() + longest_end;
    while (!holds() && clock::now() < until) std::this_thread::sleep_for(10ms);
  }

  void print_progress(clock::time_point start) const {
    std::printf(
        "%4.0f s, %llu kills: %llu stored, %llu handled, %llu + %llu again; live %llu sent, %llu "
        "received; %.0f KiB\n",
        std::chrono::duration<double>(clock::now() - start).count(), shown(kills_),
        shown(sum(&soak_direction::stored)), shown(sum(&soak_direction::handled)),
        shown(sum(&soak_direction::again)), shown(sum(&soak_direction::untold)),
        shown(sum(&soak_direction::sent)), shown(sum(&soak_direction::received)), memory_.last());
    std::fflush(stdout);
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> figures() const {
    const auto of = [this](std::atomic<std::uint64_t> soak_direction::* which) {
      return static_cast<double>(sum(which));
    };
    const double all = of(&soak_direction::handled) + of(&soak_direction::received);
    return {
        {"seconds", seconds_},
        {"times that nats-server was killed", static_cast<double>(kills_)},
        {"messages handled, of all kinds", all},
        {"of them in a second", all / seconds_},
        {"durable: stored", of(&soak_direction::stored)},
        {"durable: store has failed, so that nobody knows", of(&soak_direction::unknown)},
        {"durable: handled", of(&soak_direction::handled)},
        {"durable: handled again, attempt() > 1", of(&soak_direction::again)},
        {"durable: handled again, attempt() = 1", of(&soak_direction::untold)},
        {"live: sent", of(&soak_direction::sent)},
        {"live: received", of(&soak_direction::received)},
        {"live: lost", of(&soak_direction::sent) - of(&soak_direction::received)},
        {"live: of them dropped by their receiver",
         static_cast<double>(left_.dropped() + right_.dropped())},
        {"failures that the bridges have told", double(left_.failures() + right_.failures())},
        {"resident memory in the second quarter, KiB", memory_.quarter(1)},
        {"resident memory in the last quarter, KiB", memory_.quarter(3)},
        {"resident memory at its peak, with what the heap has free, KiB", memory_.peak()},
    };
  }

  static bool write(const std::string& path, const setting& of, const std::string& rows,
                    const std::string& targets) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    if (!file) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      return false;
    }
    std::string fields;
    for (const auto& [name, value] : of.fields) fields += "  \"" + name + "\": " + value + ",\n";
    const bool written = std::fprintf(file, "{\n%s  \"rows\": [%s],\n  \"targets\": [%s]\n}\n",
                                      fields.c_str(), rows.c_str(), targets.c_str()) >= 0;
    return std::fclose(file) == 0 && written;
  }

  const double minutes_;
  msgbus_test::nats_server server_;
  soak_direction there_, back_;
  soak_side left_, right_;
  resident_samples memory_;
  std::uint64_t kills_ = 0;
  double seconds_ = 0;
};

}  // namespace

bool run_soak(double minutes, setting of, const std::string& json) {
  soak all(minutes);
  of.add("nats-server", all.server_version());
  all.run();
  return all.report(of, json);
}

}  // namespace bench
