#pragma once

/// The metadata of a message: names with values.

#include <msgbus/detail/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus {

/// A name or a value in `headers`. The text ends with a zero byte. It is a view: valid until the
/// headers change or move.
class header_text : public std::string_view {
 public:
  /// An empty text.
  constexpr header_text() noexcept : std::string_view("") {}

  /// The text as a C string.
  [[nodiscard]] constexpr const char* c_str() const noexcept { return data(); }
  // NOLINTNEXTLINE(google-explicit-constructor): as the string that it stands for
  /// A copy of the text.
  operator std::string() const { return std::string(data(), size()); }

 private:
  friend class headers;
  constexpr header_text(const char* begin, std::size_t size) noexcept
      : std::string_view(begin, size) {}
};

/// Key-value metadata of a message, which is never needed to understand the payload. The order is
/// that of insertion. A name may occur several times, as with NATS. Names are compared with case.
/// All headers are in one block of memory; a small block is inside the object.
class headers {
 public:
  /// A name with its value.
  using value_type = std::pair<header_text, header_text>;

  /// An input iterator over name and value pairs.
  class const_iterator {
   public:
    using value_type = headers::value_type;
    using reference = value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    /// Keeps a pair for `->`.
    struct pointer {
      value_type held;
      const value_type* operator->() const noexcept { return &held; }
    };

    const_iterator() = default;
    reference operator*() const noexcept;
    pointer operator->() const noexcept { return {**this}; }
    const_iterator& operator++() noexcept;
    const_iterator operator++(int) noexcept {
      const_iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const const_iterator&, const const_iterator&) = default;

   private:
    friend class headers;
    explicit const_iterator(const char* at) noexcept : at_(at) {}
    const char* at_ = nullptr;
  };
  /// Headers are not changed through iterators.
  using iterator = const_iterator;

  /// No headers.
  headers() noexcept {}  // NOLINT: `inside_` is not set
  /// The headers of a list of names and values, all of them.
  headers(std::initializer_list<std::pair<std::string_view, std::string_view>> all);
  headers(const headers& other);
  headers(headers&& other) noexcept;
  headers& operator=(const headers& other);
  headers& operator=(headers&& other) noexcept;
  ~headers() { release(); }

  /// Whether there are no headers.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// The number of headers.
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// The first header.
  [[nodiscard]] const_iterator begin() const noexcept { return const_iterator(block()); }
  /// The end of the headers.
  [[nodiscard]] const_iterator end() const noexcept { return const_iterator(block() + size_); }

  /// The first header with this name, or `end()`.
  [[nodiscard]] const_iterator find(std::string_view name) const noexcept;
  /// Whether a header has this name.
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != end(); }
  /// The number of headers with this name.
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  /// The value of the first header with this name. Throws: `std::out_of_range`, with the name.
  [[nodiscard]] header_text at(std::string_view name) const;
  /// The value of the first header with this name, or an empty text.
  [[nodiscard]] header_text get(std::string_view name) const noexcept;

  // The arguments may be views of other `headers` objects, but not of this one.

  /// Adds a header, also if the name exists. Throws: `std::length_error`.
  void add(std::string_view name, std::string_view value);
  /// Replaces all headers with this name.
  void insert_or_assign(std::string_view name, std::string_view value);
  /// Adds a header if the name does not exist. Returns whether it was added.
  bool emplace(std::string_view name, std::string_view value);
  /// Removes all headers with this name, and returns their number.
  std::size_t erase(std::string_view name) noexcept;
  /// Removes all headers.
  void clear() noexcept { size_ = count_ = 0; }

  /// Whether both have the same names, each with the same values in the same order.
  friend bool operator==(const headers& a, const headers& b) noexcept;

 private:
  static constexpr std::uint32_t inside = 140;  // four of usual length, 160 bytes in all

  [[nodiscard]] const char* block() const noexcept { return heap_ ? heap_ : inside_; }
  [[nodiscard]] char* block() noexcept { return heap_ ? heap_ : inside_; }
  void reserve(std::size_t bytes);
  void take(headers& other) noexcept;
  void release() noexcept { delete[] heap_; }

  // Each: the sizes of name and value, the name, a zero, the value, a zero.
  char* heap_ = nullptr;  // owned; null: it is inside
  std::uint32_t capacity_ = inside;
  std::uint32_t size_ = 0;  // bytes in use
  std::uint32_t count_ = 0;
  char inside_[inside];  // NOLINT: of which the first `size_` are set
};
std::ostream& operator<<(std::ostream& out, const headers& value);

}  // namespace msgbus
