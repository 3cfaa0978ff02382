#include "top/screen.hpp"

#include "top/text.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <utility>

// The last one: it defines many short names.
#define NCURSES_NOMACROS
#include <curses.h>

namespace msgbus::top {

namespace {

constexpr int patience = 100;  // ms for a key
constexpr std::size_t most_notes = 5;
constexpr int escape = 27;

/// The terminal, as long as it is ours.
class terminal {
 public:
  terminal() {
    if (::newterm(nullptr, stdout, stdin) == nullptr) {
      throw std::runtime_error(
          "the type of the terminal (TERM) is unknown; --once needs no terminal");
    }
    ::cbreak();
    ::noecho();
    ::keypad(stdscr, TRUE);
    ::set_escdelay(25);
    ::timeout(patience);
    ::curs_set(0);
    if (std::getenv("NO_COLOR") == nullptr && ::has_colors()) {
      ::start_color();
      ::use_default_colors();
      ::init_pair(1, COLOR_YELLOW, -1);
      ::init_pair(2, COLOR_RED, -1);
      colours_ = true;
    }
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  ~terminal() { ::endwin(); }

  /// A row of the terminal; false if it has no such row.
  bool put(int at, const std::string& text, chtype look) const {
    if (at >= LINES) return false;
    ::attrset(static_cast<int>(look));
    ::mvaddstr(at, 0, fitted(text, static_cast<std::size_t>(COLS)).c_str());
    return true;
  }

  [[nodiscard]] chtype look_of(level worst) const {
    if (worst == level::good) return A_NORMAL;
    if (!colours_) return worst == level::bad ? A_BOLD : A_NORMAL;
    return worst == level::bad ? pair(2) | A_BOLD : pair(1);
  }

 private:
  static chtype pair(int number) { return static_cast<chtype>(COLOR_PAIR(number)); }

  bool colours_ = false;
};

class screen {
 public:
  screen(const client& from, const std::string& url, order by, std::string filter)
      : from_(from), url_(url), by_(by), filter_(std::move(filter)) {}

  void run() {
    for (bool again = true; again;) {
      const client::result now = from_.get();
      if (!paused_ || !shown_.newest) shown_ = now;
      shown_.failure = now.failure;
      shown_.failing_since = now.failing_since;
      draw();
      again = press(::getch());
    }
  }

 private:
  void draw() {
    ::erase();
    if (helps_) {
      draw_help();
    } else {
      int at = draw_head();
      if (shown_.newest) draw_table(at);
    }
    if (typing_) {
      terminal_.put(LINES - 1, "filter: " + filter_ + "_", A_REVERSE);
    }
    ::refresh();
  }

  /// The number of the next row.
  int draw_head() {
    int at = 0;
    std::string first = shown_.newest ? summary(*shown_.newest) : "connecting to " + url_;
    if (paused_) first += "  [paused]";
    terminal_.put(at++, first, A_BOLD);
    if (!shown_.failure.empty()) {
      const std::chrono::duration<double> age =
          std::chrono::steady_clock::now() - shown_.failing_since;
      terminal_.put(at++,
                    "connection lost " + duration(age.count()) + " ago, trying again: " + url_ +
                        ": " + shown_.failure,
                    terminal_.look_of(level::bad));
    }
    if (shown_.newest) {
      std::size_t left = most_notes;
      for (const std::string& each : shown_.newest->stalled) {
        if (left == 0) break;
        --left;
        terminal_.put(at++, "! " + each, terminal_.look_of(level::bad));
      }
      for (const std::string& each : shown_.newest->warnings) {
        if (left == 0) break;
        --left;
        terminal_.put(at++, "! " + each, terminal_.look_of(level::warn));
      }
    }
    return at + 1;
  }

  void draw_table(int at) {
    const std::vector<row> rows = arranged(*shown_.newest, by_, filter_);
    const auto lines = lines_of(rows, by_, static_cast<std::size_t>(std::max(COLS, 1)));
    if (!terminal_.put(at++, lines.front().text, A_REVERSE)) return;
    // The last row of the terminal is for the keys.
    const int space = std::max(0, LINES - 1 - at);
    page_ = std::max(1, space);
    const int most = std::max(0, static_cast<int>(rows.size()) - space);
    first_ = std::clamp(first_, 0, most);
    for (int i = 0; i < space && first_ + i < static_cast<int>(rows.size()); ++i) {
      const line& each = lines[static_cast<std::size_t>(first_) + static_cast<std::size_t>(i) + 1];
      terminal_.put(at + i, each.text, terminal_.look_of(each.worst));
    }
    std::string below = "? help  q quit  / filter  t by trouble  < > column  r reverse";
    if (rows.size() < shown_.newest->rows.size()) {
      below = count(rows.size()) + " of " + count(shown_.newest->rows.size()) + " match '" +
              filter_ + "'  " + below;
    } else if (most > 0) {
      below = std::to_string(first_ + 1) + "-" + std::to_string(first_ + space) + " of " +
              count(rows.size()) + "  " + below;
    }
    terminal_.put(LINES - 1, below, A_DIM);
  }

  void draw_help() const {
    int at = 0;
    terminal_.put(at++, "msgbus-top: the components of " + url_, A_BOLD);
    ++at;
    for (const char* const each :
         {"q        ends", "? F1     this help",
          "/        types a filter; Enter keeps, Escape removes it", "space    pauses and resumes",
          "arrows   scroll, as do Page Up, Page Down, Home, End", "r        turns the order",
          "< >      sort by the column to the left, to the right"}) {
      terminal_.put(at++, each, A_NORMAL);
    }
    std::string keys = "by column:";
    for (const column_words& each : columns()) {
      keys += std::string(" ") + each.key + "=" + std::string(each.name);
      if (keys.size() > 60) {
        terminal_.put(at++, keys, A_NORMAL);
        keys = "          ";
      }
    }
    terminal_.put(at++, keys, A_NORMAL);
    terminal_.put(at + 1, "yellow: look at it; red: it fails, loses messages or is stuck", A_DIM);
  }

  /// False: the user ends the program.
  bool press(int key) {
    if (key == ERR || key == KEY_RESIZE) return true;
    if (typing_) {
      type(key);
      return true;
    }
    if (key == 'q') return false;
    if (helps_) {
      helps_ = false;
      return true;
    }
    switch (key) {
      case '?':
      case KEY_F(1): helps_ = true; break;
      case '/': typing_ = true; break;
      case ' ': paused_ = !paused_; break;
      case escape: filter_.clear(); break;
      case 'r': by_.descending = !by_.descending; break;
      case '<':
      case KEY_LEFT: move(-1); break;
      case '>':
      case KEY_RIGHT: move(1); break;
      case KEY_UP: --first_; break;
      case KEY_DOWN: ++first_; break;
      case KEY_PPAGE: first_ -= page_; break;
      case KEY_NPAGE: first_ += page_; break;
      case KEY_HOME: first_ = 0; break;
      case KEY_END: first_ = 1'000'000; break;
      default: sort_by(key);
    }
    return true;
  }

  void sort_by(int key) {
    for (const column_words& each : columns()) {
      if (each.key == key) by_.choose(each.which);
    }
  }

  void move(int by) {
    const auto& all = columns();
    const auto now = std::ranges::find(all, by_.by, &column_words::which) - all.begin();
    const auto size = static_cast<std::ptrdiff_t>(all.size());
    by_.choose(all[static_cast<std::size_t>((now + by + size) % size)].which);
  }

  void type(int key) {
    if (key == '\n' || key == KEY_ENTER) {
      typing_ = false;
    } else if (key == escape) {
      typing_ = false;
      filter_.clear();
    } else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
      // All bytes of the last character.
      while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xc0) == 0x80) {
        filter_.pop_back();
      }
      if (!filter_.empty()) filter_.pop_back();
    } else if (key >= ' ' && key < 256 && filter_.size() < 100) {
      filter_ += static_cast<char>(key);
    }
  }

  const terminal terminal_;
  const client& from_;
  const std::string& url_;
  order by_;
  std::string filter_;
  client::result shown_;
  bool helps_ = false;
  bool typing_ = false;
  bool paused_ = false;
  int first_ = 0;
  int page_ = 1;
};

}  // namespace

void run_screen(const client& from, const std::string& url, order by, std::string filter) {
  screen(from, url, by, std::move(filter)).run();
}

}  // namespace msgbus::top
