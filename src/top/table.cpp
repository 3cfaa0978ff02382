#include "top/table.hpp"

#include "top/text.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <sstream>

namespace msgbus::top {

namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();

bool is_text(column which) {
  return which == column::name || which == column::kind || which == column::executor ||
         which == column::breaker;
}

bool is_left(column which) { return is_text(which) || which == column::error; }

double share(const row& one) {
  return one.capacity == 0 ? 0
                           : static_cast<double>(one.waiting) / static_cast<double>(one.capacity);
}

/// To sort by; for texts see text_of.
double number_of(const row& one, column which) {
  switch (which) {
    case column::trouble: return one.trouble;
    case column::waiting: return share(one);
    case column::oldest: return one.oldest;
    case column::blocked: return static_cast<double>(one.blocked_senders);
    case column::in_flight: return static_cast<double>(one.in_flight);
    case column::offered: return one.offered;
    case column::handled: return one.handled;
    case column::failed: return one.failed;
    case column::dropped: return one.lost;
    case column::wait: return one.wait ? one.wait->p99 : nothing;
    case column::handle: return one.handle ? one.handle->p99 : nothing;
    case column::retries: return one.retries;
    case column::letters: return static_cast<double>(one.dead_letters);
    case column::error: return one.error_age ? -*one.error_age : nothing;
    default: return 0;
  }
}

std::string of(std::uint64_t value, std::uint64_t limit) {
  return limit == 0 ? count(value) : count(value) + "/" + count(limit);
}

std::string text_of(const std::optional<quantiles>& times) {
  const auto one = [](double value) { return value >= 10 ? ">10s" : duration(value); };
  return times ? one(times->p50) + "/" + one(times->p99) : "-";
}

std::string text_of(const row& one, column which) {
  switch (which) {
    case column::name: return one.name;
    case column::kind: return one.state == "open" ? one.kind : one.kind + " " + one.state;
    case column::executor: return one.executor.empty() ? "-" : one.executor;
    case column::waiting: return of(one.waiting, one.capacity);
    case column::oldest: return one.waiting == 0 && one.oldest <= 0 ? "-" : duration(one.oldest);
    case column::blocked: return count(one.blocked_senders);
    case column::in_flight: return of(one.in_flight, one.limit);
    case column::offered: return rate(one.offered);
    case column::handled: return rate(one.handled);
    case column::failed: return rate(one.failed);
    case column::dropped: return rate(one.lost);
    case column::wait: return text_of(one.wait);
    case column::handle: return text_of(one.handle);
    case column::retries: return rate(one.retries);
    case column::breaker: return one.breaker.empty() ? "-" : one.breaker;
    case column::letters: return count(one.dead_letters);
    case column::error:
      return one.error_age ? duration(*one.error_age) + " ago: " + one.error : "-";
    case column::trouble: break;
  }
  return {};
}

/// From the least important column to the most.
constexpr std::array goes_first{
    column::kind,      column::offered,  column::letters, column::blocked,
    column::retries,   column::executor, column::wait,    column::breaker,
    column::in_flight, column::error,    column::oldest,  column::dropped,
    column::handle,    column::waiting,  column::failed,  column::handled};
constexpr std::size_t between = 2;
constexpr std::size_t least_of_text = 12;  // of the name and the error

struct shown_column {
  column which;
  std::size_t width;
  std::vector<std::string> texts;  // the title, then a row each
};

std::string title_of(const column_words& words, order by) {
  std::string title(words.title);
  if (words.which == by.by) title += by.descending ? "\xe2\x96\xbc" : "\xe2\x96\xb2";
  return title;
}

std::size_t total(const std::vector<shown_column>& all) {
  std::size_t columns = all.empty() ? 0 : between * (all.size() - 1);
  for (const shown_column& each : all) columns += each.width;
  return columns;
}

/// Narrows the long texts, leaves columns out, and gives what is left to the last error.
void fit(std::vector<shown_column>& all, std::size_t width) {
  const auto find = [&](column which) {
    return std::ranges::find(all, which, &shown_column::which);
  };
  const auto narrow = [&](column which) {
    const auto found = find(which);
    if (found == all.end() || total(all) <= width) return;
    const std::size_t too_much = total(all) - width;
    const std::size_t least = std::min(found->width, least_of_text);
    found->width = std::max(least, found->width - std::min(found->width, too_much));
  };
  narrow(column::error);
  narrow(column::name);
  for (const column which : goes_first) {
    if (total(all) <= width) break;
    if (const auto found = find(which); found != all.end()) all.erase(found);
  }
  if (total(all) > width) find(column::name)->width = width;
  all.back().width += width - total(all);
}

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& each : made) {
    each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  }
  return made;
}

bool matches(const row& one, const std::vector<std::string>& words) {
  const std::string text = lower(one.name + '\n' + one.kind + '\n' + one.executor + '\n' +
                                 one.state + '\n' + one.breaker + '\n' + one.error);
  return std::ranges::all_of(
      words, [&](const std::string& word) { return text.find(word) != std::string::npos; });
}

/// Below 0: `a` comes first; 0: they are equal. Rows without a number come last.
int compared(const row& a, const row& b, order by) {
  int way = 0;
  if (is_text(by.by)) {
    way = text_of(a, by.by).compare(text_of(b, by.by));
  } else {
    const double first = number_of(a, by.by);
    const double second = number_of(b, by.by);
    way = first < second ? -1 : first > second ? 1 : 0;
    if (first == nothing || second == nothing) return -way;
  }
  return by.descending ? -way : way;
}

}  // namespace

const std::vector<column_words>& columns() {
  static const std::vector<column_words> all{
      {column::trouble, "trouble", "trouble", 't'},
      {column::name, "name", "COMPONENT", 'n'},
      {column::kind, "kind", "KIND", 'k'},
      {column::executor, "executor", "EXECUTOR", 'x'},
      {column::waiting, "waiting", "WAITING", 'w'},
      {column::oldest, "oldest", "OLDEST", 'o'},
      {column::blocked, "senders", "SENDERS", 's'},
      {column::in_flight, "in-flight", "IN FLIGHT", 'i'},
      {column::offered, "offered", "OFFERED/S", 'a'},
      {column::handled, "handled", "HANDLED/S", 'h'},
      {column::failed, "failed", "FAILED/S", 'f'},
      {column::dropped, "dropped", "DROPPED/S", 'd'},
      {column::wait, "waits", "WAITS 50/99", 'm'},
      {column::handle, "handling", "HANDLING 50/99", 'p'},
      {column::retries, "retries", "RETRIES/S", 'y'},
      {column::breaker, "breaker", "BREAKER", 'b'},
      {column::letters, "dead", "DEAD", 'l'},
      {column::error, "error", "LAST ERROR", 'e'},
  };
  return all;
}

void order::choose(column which) {
  if (by == which) {
    descending = !descending;
  } else {
    by = which;
    descending = !is_text(which);
  }
}

std::vector<row> arranged(const status& all, order by, std::string_view filter) {
  std::vector<std::string> words;
  std::istringstream in(lower(filter));
  for (std::string word; in >> word;) words.push_back(word);
  std::vector<const row*> found;
  for (const row& each : all.rows) {
    if (matches(each, words)) found.push_back(&each);
  }
  std::ranges::sort(found, [&](const row* a, const row* b) {
    const int way = compared(*a, *b, by);
    return way != 0 ? way < 0 : a < b;
  });
  std::vector<row> made;
  made.reserve(found.size());
  for (const row* each : found) made.push_back(*each);
  return made;
}

std::vector<line> lines_of(const std::vector<row>& rows, order by, std::size_t width) {
  std::vector<shown_column> all;
  for (const column_words& words : columns()) {
    if (words.which == column::trouble) continue;
    shown_column one{words.which, 0, {title_of(words, by)}};
    for (const row& each : rows) one.texts.push_back(text_of(each, words.which));
    for (const std::string& each : one.texts) one.width = std::max(one.width, top::width(each));
    all.push_back(std::move(one));
  }
  if (width > 0) fit(all, width);

  std::vector<line> made(rows.size() + 1);
  for (std::size_t at = 0; at < made.size(); ++at) {
    for (const shown_column& each : all) {
      if (!made[at].text.empty()) made[at].text.append(between, ' ');
      made[at].text += fitted(each.texts[at], each.width, !is_left(each.which));
    }
    if (at > 0) made[at].worst = rows[at - 1].worst;
    if (width == 0) made[at].text.erase(made[at].text.find_last_not_of(' ') + 1);
  }
  return made;
}

std::string summary(const status& all) {
  double handled = 0;
  double failed = 0;
  double lost = 0;
  std::uint64_t waiting = 0;
  std::size_t troubled = 0;
  for (const row& each : all.rows) {
    handled += each.handled;
    failed += each.failed;
    lost += each.lost;
    waiting += each.waiting;
    if (each.worst != level::good) ++troubled;
  }
  std::string made = all.title.empty() ? "msgbus " + all.version : all.title;
  if (all.state != "serving") made += " (" + all.state + ")";
  made += ": " + count(all.rows.size()) + " components";
  if (troubled > 0) made += ", " + count(troubled) + " in trouble";
  return made + "; a second " + rate(handled) + " handled, " + rate(failed) + " failed, " +
         rate(lost) + " dropped; " + count(waiting) + " wait";
}

}  // namespace msgbus::top
