// Topics and patterns: bytes become texts, subscriptions, cancellations and messages. Validity and
// matching are checked against the plain second version in support/naive_topics.hpp (T7), order and
// once-only delivery against a plain list (D1, T8).

#include <msgbus/sync/subscriber.hpp>

#include "../support/naive_topics.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using msgbus::errc;

void require(bool holds, const char* sentence, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s: '%.*s'\n", sentence, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  [[nodiscard]] bool empty() const { return at_ == end_; }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : *at_++; }

  // Mostly of a few short tokens, so that patterns and topics meet; sometimes of any bytes.
  std::string text() {
    static constexpr const char* pieces[] = {"a", "b", "*", ">", ".", ".", "ab", "a*"};
    const std::uint8_t shape = byte();
    std::string made;
    if (shape >= 240) {
      for (int length = shape - 240; length > 0; --length) made += static_cast<char>(byte());
    } else if (shape >= 200) {
      for (int length = shape % 12; length > 0; --length) made += pieces[byte() % 8];
    } else {
      static constexpr const char* tokens[] = {"a", "b", "*", ">", "c", "a", "b", "*"};
      const int length = shape % 6 + 1;
      for (int i = 0; i < length; ++i) made += (i ? "." : "") + std::string(tokens[byte() % 8]);
    }
    return made;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

bool is_refused(const auto& verb) {
  try {
    verb();
  } catch (const msgbus::error& e) {
    require(e.code() == errc::invalid_topic, "only an invalid topic is refused", e.what());
    return true;
  }
  return false;
}

// A subscriber and, beside it, a plain list of what it should do.
class checked_subscriber {
 public:
  void subscribe(input& in) {
    std::vector<std::string> patterns;
    for (int count = in.byte() % 3 + 1; count > 0; --count) patterns.push_back(in.text());
    const int number = next_++;
    const auto handler = [this, number](int) { ran_.push_back(number); };
    msgbus::subscription made;
    const bool refused = is_refused([&] {
      switch (patterns.size()) {
        case 1: made = subscriber_.subscribe(std::string_view(patterns[0]), handler); break;
        case 2: made = subscriber_.subscribe({patterns[0], patterns[1]}, handler); break;
        default: made = subscriber_.subscribe({patterns[0], patterns[1], patterns[2]}, handler);
      }
    });
    bool valid = true;
    for (const std::string& each : patterns) valid &= msgbus_test::is_valid_pattern(each);
    require(refused != valid, "exactly the valid patterns are taken", patterns[0]);
    if (valid) there_.push_back({number, std::move(patterns), made});
  }

  void cancel(input& in) {
    if (there_.empty()) return;
    const std::size_t which = in.byte() % there_.size();
    there_[which].handle.cancel();
    require(!there_[which].handle.active(), "a cancelled handler is not active", "");
    there_.erase(there_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void receive(const std::string& topic) {
    ran_.clear();
    std::size_t count = 0;
    const bool refused = is_refused([&] { count = subscriber_.receive(1, topic); });
    const bool valid = msgbus_test::is_valid_topic(topic);
    require(refused != valid, "exactly the valid topics are taken", topic);
    std::vector<int> expected;
    if (valid) {
      for (const auto& each : there_) {
        for (const std::string& pattern : each.patterns) {
          if (!msgbus_test::naive_match(pattern, topic)) continue;
          expected.push_back(each.number);
          break;
        }
      }
    }
    require(ran_ == expected, "the handlers that match run, in order, once", topic);
    require(count == expected.size(), "those that ran are counted", topic);
  }

 private:
  struct subscribed {
    int number;
    std::vector<std::string> patterns;
    msgbus::subscription handle;
  };

  msgbus::sync::subscriber subscriber_;
  std::vector<subscribed> there_;
  std::vector<int> ran_;
  int next_ = 0;
};

void check_validity(const std::string& text) {
  require(
      (msgbus::detail::topic_fault(text, false) == nullptr) == msgbus_test::is_valid_topic(text),
      "a topic is valid as the plain grammar says", text);
  require(
      (msgbus::detail::topic_fault(text, true) == nullptr) == msgbus_test::is_valid_pattern(text),
      "a pattern is valid as the plain grammar says", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_validity(std::string(reinterpret_cast<const char*>(data), size));
  input in(data, size);
  checked_subscriber checked;
  while (!in.empty()) {
    const std::uint8_t step = in.byte() % 8;
    if (step < 3) {
      checked.subscribe(in);
    } else if (step < 5) {
      checked.cancel(in);
    } else {
      const std::string topic = in.text();
      check_validity(topic);
      checked.receive(topic);
    }
  }
  return 0;
}
