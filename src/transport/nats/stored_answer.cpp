#include "stored_answer.hpp"

#include <nlohmann/json.hpp>

namespace msgbus::nats {

namespace {

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
  reader read(into);
  return nlohmann::json::sax_parse(text.begin(), text.end(), &read) && read.is_complete();
}

}  // namespace msgbus::nats
