#include <msgbus/headers.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace msgbus {

namespace {

struct sizes {
  std::uint32_t name = 0;
  std::uint32_t value = 0;

  [[nodiscard]] std::size_t all() const noexcept {
    return sizeof(sizes) + std::size_t{name} + 1 + std::size_t{value} + 1;
  }
};

sizes sizes_at(const char* entry) noexcept {
  sizes read;
  std::memcpy(&read, entry, sizeof read);
  return read;
}

char* append(char* to, std::string_view text) noexcept {
  to = std::copy(text.begin(), text.end(), to);
  *to = '\0';
  return to + 1;
}

}  // namespace

// --- Reading. ------------------------------------------------------------------------------------

headers::value_type headers::const_iterator::operator*() const noexcept {
  const sizes of = sizes_at(at_);
  const char* const name = at_ + sizeof of;
  return {header_text(name, of.name), header_text(name + of.name + 1, of.value)};
}

headers::const_iterator& headers::const_iterator::operator++() noexcept {
  at_ += sizes_at(at_).all();
  return *this;
}

headers::const_iterator headers::find(std::string_view name) const noexcept {
  const char* at = block();
  const char* const last = at + size_;
  while (at != last) {
    const sizes of = sizes_at(at);
    if (of.name == name.size() && std::memcmp(at + sizeof of, name.data(), name.size()) == 0) break;
    at += of.all();
  }
  return const_iterator(at);
}

std::size_t headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(begin(), end(), [&](const value_type& each) { return each.first == name; }));
}

header_text headers::at(std::string_view name) const {
  const auto found = find(name);
  if (found == end()) throw std::out_of_range("no header '" + std::string(name) + "'");
  return found->second;
}

header_text headers::get(std::string_view name) const noexcept {
  const auto found = find(name);
  return found == end() ? header_text() : found->second;
}

bool operator==(const headers& a, const headers& b) noexcept {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const headers::value_type& wanted) {
    const auto has_name = [&](const headers::value_type& each) {
      return each.first == wanted.first;
    };
    auto mine = a.find(wanted.first);
    auto other = b.find(wanted.first);
    while (mine != a.end() && other != b.end()) {
      if (mine->second != other->second) return false;
      mine = std::find_if(++mine, a.end(), has_name);
      other = std::find_if(++other, b.end(), has_name);
    }
    return mine == a.end() && other == b.end();
  });
}

// --- Changing. -----------------------------------------------------------------------------------

void headers::add(std::string_view name, std::string_view value) {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max() / 4;
  if (name.size() > most || value.size() > most)
    throw std::length_error("a header is too long: its name and its value have at most 1 GiB each");
  const sizes of{static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
  reserve(size_ + of.all());
  char* to = block() + size_;
  std::memcpy(to, &of, sizeof of);
  append(append(to + sizeof of, name), value);
  size_ += static_cast<std::uint32_t>(of.all());
  ++count_;
}

void headers::insert_or_assign(std::string_view name, std::string_view value) {
  erase(name);
  add(name, value);
}

bool headers::emplace(std::string_view name, std::string_view value) {
  if (contains(name)) return false;
  add(name, value);
  return true;
}

std::size_t headers::erase(std::string_view name) noexcept {
  const std::uint32_t before = count_;
  char* const all = block();
  std::size_t kept = 0;
  for (std::size_t at = 0; at < size_;) {
    const sizes of = sizes_at(all + at);
    if (std::string_view(all + at + sizeof of, of.name) == name) {
      --count_;
    } else {
      if (kept != at) std::memmove(all + kept, all + at, of.all());
      kept += of.all();
    }
    at += of.all();
  }
  size_ = static_cast<std::uint32_t>(kept);
  return before - count_;
}

void headers::reserve(std::size_t bytes) {
  if (bytes <= capacity_) return;
  if (bytes > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("the headers of a message are too long: they have at most 4 GiB");
  }
  const std::size_t wanted = std::min<std::size_t>(std::max(bytes, std::size_t{capacity_} * 2),
                                                   std::numeric_limits<std::uint32_t>::max());
  char* const made = new char[wanted];
  std::memcpy(made, block(), size_);
  release();
  heap_ = made;
  capacity_ = static_cast<std::uint32_t>(wanted);
}

// --- As a whole. ---------------------------------------------------------------------------------

headers::headers(std::initializer_list<std::pair<std::string_view, std::string_view>> all)
    : headers() {  // delegates, so the destructor runs if `add` throws
  for (const auto& [name, value] : all) add(name, value);
}

headers::headers(const headers& other) {
  reserve(other.size_);
  std::memcpy(block(), other.block(), other.size_);
  size_ = other.size_;
  count_ = other.count_;
}

headers::headers(headers&& other) noexcept { take(other); }

headers& headers::operator=(const headers& other) {
  if (this == &other) return *this;
  reserve(other.size_);
  std::memcpy(block(), other.block(), other.size_);
  size_ = other.size_;
  count_ = other.count_;
  return *this;
}

headers& headers::operator=(headers&& other) noexcept {
  if (this == &other) return *this;
  release();
  take(other);
  return *this;
}

// Called while this object owns no heap memory. Leaves `other` empty.
void headers::take(headers& other) noexcept {
  heap_ = std::exchange(other.heap_, nullptr);
  capacity_ = std::exchange(other.capacity_, inside);
  size_ = std::exchange(other.size_, 0);
  count_ = std::exchange(other.count_, 0);
  if (heap_ == nullptr) std::memcpy(inside_, other.inside_, size_);
}

}  // namespace msgbus
