#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

const row& named(const std::string& name, const std::vector<row>& rows) {
  for (const row& each : rows) {
    if (each.name == name) return each;
  }
  std::fprintf(stderr, "a target names a row that is not there: %s\n", name.c_str());
  std::abort();
}

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// As many digits as say something.
std::string brief(double value) {
  if (std::isnan(value)) return "-";
  return formatted(std::fabs(value) < 10    ? "%.2f"
                   : std::fabs(value) < 100 ? "%.1f"
                                            : "%.0f",
                   value);
}

std::string limit_of(double value) { return formatted("%g", value); }

std::string times(std::optional<double> ratio) { return ratio ? brief(*ratio) + "x" : "-"; }

// Pads to columns on the screen, of which a UTF-8 sequence is one.
std::string padded(const std::string& text, std::size_t width, bool right = false) {
  std::size_t columns = 0;
  for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  const std::string space(width > columns ? width - columns : 0, ' ');
  return right ? space + text : text + space;
}

const char* mark(role what) {
  switch (what) {
    case role::baseline: return "baseline";
    case role::reference: return "reference";
    case role::project: return "msgbus";
    case role::peer: return "peer";
  }
  return "";
}

}  // namespace

std::optional<double> ratio_to_baseline(const row& of, const std::vector<row>& rows) {
  for (const row& each : rows) {
    if (of.what == role::baseline || each.what != role::baseline) continue;
    if (of.baseline.empty() || each.name == of.baseline) return of.median() / each.median();
  }
  return std::nullopt;
}

std::optional<double> ratio_to_best_peer(const row& of, const std::vector<row>& rows) {
  if (of.what == role::peer) return std::nullopt;
  std::optional<double> best;
  for (const row& each : rows) {
    if (each.what != role::peer || each.threads != of.threads) continue;
    best = best ? std::min(*best, each.median()) : each.median();
  }
  if (!best) return std::nullopt;
  return of.median() / *best;
}

verdict judge(const target& promise, const std::vector<row>& rows) {
  using enum target::kind;
  const row& of = named(promise.row, rows);
  const auto other = [&] { return named(promise.other, rows).median(); };
  const std::string limit = limit_of(promise.limit);
  const auto made = [&](double figure, const std::string& text, const std::string& unit,
                        bool met) -> verdict {
    return {of.name, text, figure, brief(figure) + unit, met};
  };
  switch (promise.what) {
    case at_most_times: {
      const double figure = of.median() / other();
      return made(figure, "≤ " + limit + "x " + promise.other, "x", figure <= promise.limit);
    }
    case at_most_times_p99_9: {
      const double figure = of.at(0.999) / named(promise.other, rows).at(0.999);
      return made(figure, "p99.9 ≤ " + limit + "x that of " + promise.other, "x",
                  figure <= promise.limit);
    }
    case at_most_ns: {
      const double figure = of.median();
      return made(figure, "≤ " + limit + " ns", " ns", figure <= promise.limit);
    }
    case at_most_ns_more: {
      const double figure = of.median() - other();
      return made(figure, "≤ " + limit + " ns more than " + promise.other, " ns",
                  figure <= promise.limit);
    }
    case at_most_times_more: {
      const double figure = (of.median() - other()) / named(promise.unit, rows).median();
      return made(figure, "≤ " + limit + "x " + promise.unit + " more than " + promise.other, "x",
                  figure <= promise.limit);
    }
    case at_least_times_faster: {
      const double figure = other() / of.median();
      return made(figure, "≥ " + limit + "x as fast as " + promise.other, "x",
                  figure >= promise.limit);
    }
    case at_least_millions: {
      const double figure = 1e3 / of.median();
      return made(figure, "≥ " + limit + " M/s", " M/s", figure >= promise.limit);
    }
    case at_most_allocations: {
      const double figure = of.allocations;
      return made(figure, "≤ " + limit + " allocations", "", figure <= promise.limit);
    }
    case at_most_kib: {
      const double figure = of.grown_kib.value_or(std::nan(""));
      return made(figure, "memory grows by ≤ " + limit + " KiB", " KiB", figure <= promise.limit);
    }
  }
  std::abort();
}

std::optional<verdict> judge(const growth_target& promise, const curve_result& r) {
  const auto cost = [&](const std::string& line, std::uint64_t size) {
    const auto found = std::find(r.what.sizes.begin(), r.what.sizes.end(), size);
    if (found == r.what.sizes.end()) return std::nan("");
    const auto point = static_cast<std::size_t>(found - r.what.sizes.begin());
    return named(line, r.points[point]).median();
  };
  double figure = cost(promise.line, promise.to) / cost(promise.line, promise.from);
  std::string text = "from " + std::to_string(promise.from) + " to " + std::to_string(promise.to) +
                     " " + r.what.size_is + " ≤ " + limit_of(promise.limit) + "x";
  if (!promise.other.empty()) {
    figure /= cost(promise.other, promise.to) / cost(promise.other, promise.from);
    text += " the growth of " + promise.other;
  }
  if (std::isnan(figure)) return std::nullopt;
  return verdict{promise.line, text, figure, brief(figure) + "x", figure <= promise.limit};
}

namespace {

void print(const std::vector<verdict>& verdicts) {
  for (const verdict& each : verdicts) {
    std::printf("  %s  %s: %s (%s)\n", each.met ? "met   " : "MISSED", each.row.c_str(),
                each.shown.c_str(), each.text.c_str());
  }
  std::fflush(stdout);
}

}  // namespace

void print(const result& r) {
  std::size_t width = 10;
  for (const row& each : r.rows) width = std::max(width, each.name.size());
  std::printf("\n%s  %s, ns per %s\n", r.what.id.c_str(), r.what.title.c_str(),
              r.what.unit.c_str());
  const bool one_by_one = !r.rows.empty() && r.rows.front().each;
  const auto tail = [&](const std::string& p90, const std::string& p99, const std::string& p99_9) {
    if (one_by_one) std::printf(" %9s %9s %9s", p90.c_str(), p99.c_str(), p99_9.c_str());
  };
  std::printf("  %s %9s", padded("", width).c_str(), "median");
  tail("p90", "p99", "p99.9");
  std::printf(" %9s %9s %9s %10s %7s\n", "min", "max", "to baseline", "best peer", "allocs");
  for (const row& each : r.rows) {
    std::printf("  %s %9s", padded(each.name, width).c_str(), brief(each.median()).c_str());
    tail(brief(each.at(0.9)), brief(each.at(0.99)), brief(each.at(0.999)));
    std::printf(" %9s %9s %9s %10s %7s\n", brief(each.at(0)).c_str(), brief(each.at(1)).c_str(),
                times(ratio_to_baseline(each, r.rows)).c_str(),
                times(ratio_to_best_peer(each, r.rows)).c_str(),
                each.allocations == 0 ? "0" : brief(each.allocations).c_str());
  }
  print(r.verdicts);
}

void print(const curve_result& r) {
  std::printf("\n%s  %s, ns per %s (median)\n", r.what.id.c_str(), r.what.title.c_str(),
              r.what.unit.c_str());
  std::size_t width = r.what.size_is.size();
  for (const row& each : r.points.front()) width = std::max(width, each.name.size());
  std::printf("  %s", padded(r.what.size_is, width).c_str());
  for (const std::uint64_t size : r.what.sizes) {
    std::printf(" %9llu", static_cast<unsigned long long>(size));
  }
  std::printf("\n");
  for (std::size_t i = 0; i < r.points.front().size(); ++i) {
    std::printf("  %s", padded(r.points.front()[i].name, width).c_str());
    for (const auto& point : r.points) std::printf(" %9s", brief(point[i].median()).c_str());
    std::printf("\n");
  }
  print(r.verdicts);
}

// --- JSON ----------------------------------------------------------------------------------------

namespace {

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      all += '\\';
      all += c;
    } else if (static_cast<unsigned char>(c) >= ' ') {
      all += c;
    }
  }
  return all + "\"";
}

// Four digits are more than any figure is worth.
std::string number(double value) {
  return std::isfinite(value) ? formatted("%.4g", value) : "null";
}

std::string number(std::optional<double> value) { return value ? number(*value) : "null"; }

template <class List, class Text>
std::string joined(const List& list, const std::string& indent, Text text) {
  std::string all;
  for (const auto& each : list) all += (all.empty() ? "\n" : ",\n") + indent + text(each);
  return all;
}

/// What only rows have whose messages were timed one by one, or whose memory was watched.
std::string json_of_more(const row& each) {
  std::string more;
  if (each.each) {
    more += ", \"p50_ns\": " + number(each.at(0.5)) + ", \"p99_ns\": " + number(each.at(0.99)) +
            ", \"p99_9_ns\": " + number(each.at(0.999));
  }
  if (each.grown_kib) more += ", \"grown_kib\": " + number(each.grown_kib);
  return more;
}

std::string json_of(const row& each, const std::vector<row>& rows) {
  return "{\"name\": " + quoted(each.name) + ", \"role\": " + quoted(mark(each.what)) +
         ", \"median_ns\": " + number(each.median()) + ", \"min_ns\": " + number(each.at(0)) +
         ", \"p10_ns\": " + number(each.at(0.1)) + ", \"p90_ns\": " + number(each.at(0.9)) +
         ", \"max_ns\": " + number(each.at(1)) + json_of_more(each) +
         ", \"to_baseline\": " + number(ratio_to_baseline(each, rows)) +
         ", \"to_best_peer\": " + number(ratio_to_best_peer(each, rows)) +
         ", \"allocations\": " + number(each.allocations) +
         ", \"samples\": " + std::to_string(each.each ? each.each->size() : each.ns.size()) +
         ", \"messages\": " + std::to_string(each.messages) + "}";
}

std::string json_of(const std::vector<verdict>& verdicts) {
  return "[" +
         joined(verdicts, "       ", [](const verdict& each) { return bench::json_of(each); }) +
         "]";
}

std::string json_of(const result& r) {
  return "{\"id\": " + quoted(r.what.id) + ", \"title\": " + quoted(r.what.title) +
         ", \"unit\": " + quoted("ns per " + r.what.unit) + ",\n     \"rows\": [" +
         joined(r.rows, "       ", [&](const row& each) { return json_of(each, r.rows); }) +
         "],\n     \"targets\": " + json_of(r.verdicts) + "}";
}

std::string json_of(const curve_result& r) {
  std::string lines;
  for (std::size_t i = 0; i < r.points.front().size(); ++i) {
    const row& first = r.points.front()[i];
    lines += (i == 0 ? "\n       " : ",\n       ");
    lines += "{\"name\": " + quoted(first.name) + ", \"role\": " + quoted(mark(first.what)) +
             ", \"median_ns\": [";
    for (std::size_t point = 0; point < r.points.size(); ++point) {
      lines += (point == 0 ? "" : ", ") + number(r.points[point][i].median());
    }
    lines += "]}";
  }
  std::string sizes;
  for (const std::uint64_t size : r.what.sizes) {
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  }
  return "{\"id\": " + quoted(r.what.id) + ", \"title\": " + quoted(r.what.title) +
         ", \"unit\": " + quoted("ns per " + r.what.unit) +
         ", \"size\": " + quoted(r.what.size_is) + ", \"sizes\": [" + sizes +
         "],\n     \"lines\": [" + lines + "],\n     \"targets\": " + json_of(r.verdicts) + "}";
}

}  // namespace

std::string json_of(const verdict& of) {
  return "{\"row\": " + quoted(of.row) + ", \"target\": " + quoted(of.text) +
         ", \"figure\": " + number(of.figure) + ", \"shown\": " + quoted(of.shown) +
         ", \"met\": " + (of.met ? "true" : "false") + "}";
}

void setting::add(std::string name, const std::string& text) {
  fields.emplace_back(std::move(name), quoted(text));
}

void setting::add(std::string name, double value) {
  fields.emplace_back(std::move(name), number(value));
}

bool write_json(const std::string& path, const setting& of, const std::vector<result>& results,
                const std::vector<curve_result>& curves) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (!file) return false;
  std::string fields;
  for (const auto& [name, value] : of.fields) fields += "  " + quoted(name) + ": " + value + ",\n";
  const std::string all =
      "{\n" + fields + "  \"workloads\": [" +
      joined(results, "    ", [](const result& each) { return json_of(each); }) +
      "],\n  \"growth\": [" +
      joined(curves, "    ", [](const curve_result& each) { return json_of(each); }) + "]\n}\n";
  const bool written = std::fputs(all.c_str(), file) >= 0;
  return std::fclose(file) == 0 && written;
}

}  // namespace bench
