#pragma once

/// Metadata of a message: names with values.

#include <msgbus/core/namespaces.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus {

/// A name or a value in `headers`. It ends with a zero. It is a view: it refers to the headers, and
/// no longer than until they change or move.
class header_text : public std::string_view {
 public:
  constexpr header_text() noexcept : std::string_view("") {}
  [[nodiscard]] constexpr const char* c_str() const noexcept { return data(); }
  // NOLINTNEXTLINE(google-explicit-constructor): as the string that it stands for
  operator std::string() const { return std::string(data(), size()); }

 private:
  friend class headers;
  constexpr header_text(const char* begin, std::size_t size) noexcept
      : std::string_view(begin, size) {}
};

/// Key-value metadata of a message; never needed to understand its payload. In the order in which
/// they were added; a name may be there several times, as with NATS; names are compared with their
/// case. All of them are in one block, which is inside the object where they are few.
class headers {
 public:
  using value_type = std::pair<header_text, header_text>;

  class const_iterator {
   public:
    using value_type = headers::value_type;
    using reference = value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
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
  using iterator = const_iterator;

  headers() noexcept {}  // NOLINT: what is inside is not set
  headers(std::initializer_list<std::pair<std::string_view, std::string_view>> all);
  headers(const headers& other);
  headers(headers&& other) noexcept;
  headers& operator=(const headers& other);
  headers& operator=(headers&& other) noexcept;
  ~headers() { release(); }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// How many there are.
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] const_iterator begin() const noexcept { return const_iterator(block()); }
  [[nodiscard]] const_iterator end() const noexcept { return const_iterator(block() + size_); }

  /// The first with this name.
  [[nodiscard]] const_iterator find(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != end(); }
  /// How many have this name.
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  /// The value of the first with this name. Throws `std::out_of_range`, naming it.
  [[nodiscard]] header_text at(std::string_view name) const;
  /// The same; empty if there is none.
  [[nodiscard]] header_text get(std::string_view name) const noexcept;

  // Names and values given to these may be views of other headers, not of these.

  /// One more, whatever is there.
  void add(std::string_view name, std::string_view value);
  /// Instead of all with this name.
  void insert_or_assign(std::string_view name, std::string_view value);
  /// Unless one with this name is there; whether it was not.
  bool emplace(std::string_view name, std::string_view value);
  /// Takes out all with this name, and gives how many.
  std::size_t erase(std::string_view name) noexcept;
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

}  // namespace msgbus
