#include "stored_answer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace msgbus::nats {

namespace {

/// Reads what a stream says of nearly every message, `{"stream":"ORDERS","seq":7}`, and nothing
/// that needs to know more of JSON.
class plain_reader {
 public:
  explicit plain_reader(std::string_view text) noexcept : rest_(text) {}

  /// False if it is more than that, or something else; then `into` is as it was.
  bool read(transport::stored& into) {
    std::string_view stream;
    std::uint64_t sequence = 0;
    bool has_sequence = false;
    bool duplicate = false;
    if (!skip('{')) return false;
    do {
      std::string_view name;
      if (!text(name) || !skip(':')) return false;
      if (name == "stream") {
        if (!text(stream)) return false;
      } else if (name == "seq") {
        has_sequence = number(sequence);
        if (!has_sequence) return false;
      } else if (name == "duplicate") {
        duplicate = word("true");
        if (!duplicate && !word("false")) return false;
      } else {
        return false;
      }
    } while (skip(','));
    const bool is_all = skip('}') && is_at_end();
    if (!is_all || stream.empty() || !has_sequence) return false;
    into.stream = stream;
    into.sequence = sequence;
    into.duplicate = duplicate;
    return true;
  }

 private:
  bool is_at_end() noexcept {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) {
      rest_.remove_prefix(1);
    }
    return rest_.empty();
  }
  bool skip(char wanted) noexcept {
    if (is_at_end() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(std::string_view wanted) noexcept {
    if (is_at_end() || !rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  /// Without escapes, and in ASCII.
  bool text(std::string_view& into) noexcept {
    if (!skip('"')) return false;
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return c == '"' || c == '\\' || c < ' ' || c > '~';
    });
    if (end == rest_.end() || *end != '"') return false;
    into = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(into.size() + 1);
    return true;
  }
  bool number(std::uint64_t& into) noexcept {
    if (is_at_end() || rest_.front() == '0') return false;
    const auto [end, wrong] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), into);
    if (wrong != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  std::string_view rest_;
};

/// Of an object's members only those on its own level.
class reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit reader(transport::stored& into) : into_(into) {}
  [[nodiscard]] bool is_complete() const { return has_stream_ && has_sequence_ && !has_error_; }

  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    member_ = name == "stream"      ? member::stream
              : name == "seq"       ? member::sequence
              : name == "duplicate" ? member::duplicate
                                    : member::other;
    has_error_ = has_error_ || name == "error";
    return true;
  }
  bool string(string_t& value) override {
    if (is(member::stream)) {
      into_.stream = std::move(value);
      has_stream_ = true;
    }
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (is(member::sequence)) {
      into_.sequence = value;
      has_sequence_ = true;
    }
    return true;
  }
  bool boolean(bool value) override {
    if (is(member::duplicate)) into_.duplicate = value;
    return true;
  }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  enum class member { other, stream, sequence, duplicate };
  [[nodiscard]] bool is(member which) const { return depth_ == 1 && member_ == which; }
  bool enter() {
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  transport::stored& into_;
  member member_ = member::other;
  int depth_ = 0;
  bool has_stream_ = false;
  bool has_sequence_ = false;
  bool has_error_ = false;
};

}  // namespace

bool read_stored(std::string_view text, transport::stored& into) {
  if (plain_reader(text).read(into)) return true;
  reader read(into);
  return nlohmann::json::sax_parse(text.begin(), text.end(), &read) && read.is_complete();
}

}  // namespace msgbus::nats
