#pragma once

/// The table of msgbus-top: which rows, in which order, in which columns. Pure.

#include "top/status.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::top {

enum class column {
  trouble,  // is not shown: only sorted by
  name,
  kind,
  executor,
  waiting,
  oldest,
  blocked,
  in_flight,
  offered,
  handled,
  failed,
  dropped,
  wait,
  handle,
  retries,
  breaker,
  letters,
  error,
};

/// What a column is called, and the key that sorts by it.
struct column_words {
  column which;
  std::string_view name;   // for --sort
  std::string_view title;  // above the column
  char key;                // ' ': none
};

/// In the order of the table; `trouble` is the first.
[[nodiscard]] const std::vector<column_words>& columns();

/// The order of rows.
struct order {
  column by = column::trouble;
  bool descending = true;

  /// By this column: numbers from the largest down, texts from the first up. By the same one again:
  /// the other way.
  void choose(column which);
};

/// The rows that contain every word of the filter, in this order. Equal rows stay as they are.
[[nodiscard]] std::vector<row> arranged(const status& all, order by, std::string_view filter);

/// A line of the table and how bad it is.
struct line {
  std::string text;
  level worst = level::good;
};

/// The table as lines, the first has the titles. With a `width` the columns that do not fit are
/// left out, the least important first, and each line has exactly this width; with 0 all columns
/// are there, as wide as need be.
[[nodiscard]] std::vector<line> lines_of(const std::vector<row>& rows, order by, std::size_t width);

/// A line about the program: its name, how many components, messages a second.
[[nodiscard]] std::string summary(const status& all);

}  // namespace msgbus::top
