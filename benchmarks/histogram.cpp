#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace bench {

namespace {

// Each power of two has 128 classes; below 256 ns, each nanosecond is one.
constexpr unsigned bits = 7;
constexpr std::size_t count = ((64 - bits - 1) << bits) + (std::size_t{2} << bits);

std::size_t class_of(std::uint64_t ns) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(ns));
  const unsigned shift = width > bits + 1 ? width - bits - 1 : 0;
  return (std::size_t{shift} << bits) + static_cast<std::size_t>(ns >> shift);
}

double middle_of(std::size_t number) noexcept {
  if (number < std::size_t{2} << bits) return static_cast<double>(number);
  const auto shift = static_cast<unsigned>((number >> bits) - 1);
  const auto first = static_cast<double>((number - (std::size_t{shift} << bits)) << shift);
  return first + static_cast<double>((std::uint64_t{1} << shift) - 1) / 2;
}

}  // namespace

histogram::histogram() : classes_(count) {}

void histogram::add(std::uint64_t ns) noexcept {
  ++classes_[class_of(ns)];
  ++size_;
  least_ = std::min(least_, ns);
  greatest_ = std::max(greatest_, ns);
}

void histogram::add(const histogram& other) noexcept {
  for (std::size_t i = 0; i < count; ++i) classes_[i] += other.classes_[i];
  size_ += other.size_;
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
}

void histogram::clear() noexcept {
  std::fill(classes_.begin(), classes_.end(), 0);
  size_ = 0;
  least_ = std::numeric_limits<std::uint64_t>::max();
  greatest_ = 0;
}

double histogram::at(double quantile) const noexcept {
  if (size_ == 0) return std::nan("");
  if (quantile <= 0) return static_cast<double>(least_);
  if (quantile >= 1) return static_cast<double>(greatest_);
  const auto rank = static_cast<std::uint64_t>(quantile * static_cast<double>(size_));
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    passed += classes_[i];
    if (passed > rank) {
      return std::clamp(middle_of(i), static_cast<double>(least_), static_cast<double>(greatest_));
    }
  }
  return static_cast<double>(greatest_);
}

}  // namespace bench
