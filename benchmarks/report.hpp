#pragma once

/// What is made of measured rows: a table to read, and JSON for tools/plot.

#include "harness.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// Of a row, beside the others of its workload.
[[nodiscard]] std::optional<double> ratio_to_baseline(const row& of, const std::vector<row>& rows);
[[nodiscard]] std::optional<double> ratio_to_best_peer(const row& of, const std::vector<row>& rows);

struct verdict {
  std::string row;
  std::string text;   // what was promised
  double figure;      // in the promise's unit
  std::string shown;  // the figure with its unit
  bool met;
};
/// As JSON.
[[nodiscard]] std::string json_of(const verdict& of);
[[nodiscard]] verdict judge(const target& promise, const std::vector<row>& rows);

struct result {
  workload what;
  std::vector<row> rows;
  std::vector<verdict> verdicts;
};

struct curve_result {
  growth what;
  std::vector<std::vector<row>> points;  // for each of the sizes
  std::vector<verdict> verdicts = {};
};

/// Nothing if a size that the promise is about was left out.
[[nodiscard]] std::optional<verdict> judge(const growth_target& promise, const curve_result& r);

void print(const result& r);
void print(const curve_result& r);

/// Where, when and of what the figures are: the fields at the top of the JSON.
struct setting {
  std::vector<std::pair<std::string, std::string>> fields;  // names, and values as JSON

  void add(std::string name, const std::string& text);
  void add(std::string name, double number);
};

/// All of it as JSON. False if the file cannot be written.
[[nodiscard]] bool write_json(const std::string& path, const setting& of,
                              const std::vector<result>& results,
                              const std::vector<curve_result>& curves);

}  // namespace bench
