#include <msgbus/detail/core/hash.hpp>

#include "support/catch.hpp"

#include <array>
#include <set>
#include <string>
#include <utility>

namespace hash_test {

namespace {

// Every kind of byte: high bits, zeros, letters.
constexpr std::array<char, 48> make_bytes() {
  std::array<char, 48> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<unsigned char>(i * 37 + (i % 5 == 0 ? 0 : 91)));
  }
  return bytes;
}
constexpr std::array<char, 48> bytes = make_bytes();

constexpr std::size_t longest = 40;

template <std::size_t... Lengths>
constexpr auto hash_prefixes(std::index_sequence<Lengths...>) {
  return std::array{msgbus::detail::hash_of(std::string_view(bytes.data(), Lengths))...};
}
constexpr auto at_compile_time = hash_prefixes(std::make_index_sequence<longest + 1>{});

}  // namespace

TEST_CASE("a text has the same hash at compile time and at run time") {
  for (std::size_t length = 0; length <= longest; ++length) {
    for (std::size_t offset = 0; offset < 8; ++offset) {  // at any address
      INFO(length << " bytes at offset " << offset);
      const std::string text = std::string(offset, 'x') + std::string(bytes.data(), length);
      CHECK(msgbus::detail::hash_of(std::string_view(text).substr(offset)) ==
            at_compile_time[length]);
    }
  }
}

TEST_CASE("each byte of a text changes its hash, and so does its length") {
  for (std::size_t length = 1; length <= longest; ++length) {
    const std::string text(bytes.data(), length);
    std::set<std::size_t> hashes{msgbus::detail::hash_of(text),
                                 msgbus::detail::hash_of(text + '\0')};
    for (std::size_t i = 0; i < length; ++i) {
      for (const unsigned flipped : {1U, 128U}) {
        std::string other = text;
        other[i] = static_cast<char>(static_cast<unsigned char>(other[i]) ^ flipped);
        hashes.insert(msgbus::detail::hash_of(other));
      }
    }
    INFO(length << " bytes");
    CHECK(hashes.size() == 2 + 2 * length);
  }
}

TEST_CASE("the order of the bytes changes the hash, within a word and across words") {
  CHECK(msgbus::detail::hash_of("ab") != msgbus::detail::hash_of("ba"));
  CHECK(msgbus::detail::hash_of("aaaaaaaabbbbbbbb") != msgbus::detail::hash_of("bbbbbbbbaaaaaaaa"));
}

TEST_CASE("similar topics spread over the cells of a small table") {
  std::set<std::size_t> cells;
  for (int i = 0; i < 64; ++i)
    cells.insert(msgbus::detail::hash_of("orders." + std::to_string(i)) & 63);
  CHECK(cells.size() > 32);  // of 64; a random hash fills about 40
}

TEST_CASE("an address has one hash, and adjacent addresses have others") {
  std::array<int, 64> values{};
  std::set<std::size_t> hashes;
  std::set<std::size_t> cells;
  for (const int& value : values) {
    CHECK(msgbus::detail::hash_of_address(&value) == msgbus::detail::hash_of_address(&value));
    hashes.insert(msgbus::detail::hash_of_address(&value));
    cells.insert(msgbus::detail::hash_of_address(&value) & 63);
  }
  CHECK(hashes.size() == values.size());
  CHECK(cells.size() > 16);  // aligned addresses use more than the low cells
}

TEST_CASE("texts are equal if they have the same bytes") {
  for (std::size_t length = 0; length <= longest; ++length) {
    INFO(length << " bytes");
    const std::string text(bytes.data(), length);
    CHECK(msgbus::detail::is_same_text(text, std::string(text)));
    CHECK_FALSE(msgbus::detail::is_same_text(text, text + '\0'));
    for (std::size_t i = 0; i < length; ++i) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ 1);
      CHECK_FALSE(msgbus::detail::is_same_text(text, other));
    }
  }
}

}  // namespace hash_test
