// A handler whose clock and mailer are dependencies, tested in two ways: called directly with
// values of the test, and through its consumer with overrides.

#include <msgbus/sync.hpp>

#include <iostream>
#include <string>
#include <vector>

// --- The application. ----------------------------------------------------------------------------

struct user_registered {
  std::string name;
};

class mailer {
 public:
  virtual ~mailer() = default;
  virtual void send(const std::string& text) = 0;
};

// A dependency with no default: somebody must override it.
inline constexpr msgbus::required<mailer&> get_mailer{"mailer"};

// A dependency with a default.
int current_year() { return 2025; }

void welcome(const user_registered& event, msgbus::depends<get_mailer> mail,
             msgbus::depends<current_year> year) {
  mail->send("Welcome in " + std::to_string(*year) + ", " + event.name);
}

// --- Its tests. ----------------------------------------------------------------------------------

class recording_mailer : public mailer {
 public:
  void send(const std::string& text) override { sent.push_back(text); }
  std::vector<std::string> sent;
};

int failures = 0;

void expect(bool right, const char* sentence) {
  std::cout << (right ? "passed: " : "FAILED: ") << sentence << '\n';
  failures += right ? 0 : 1;
}

int main() {
  {
    recording_mailer mail;
    welcome(user_registered{"Alice"}, mail, 1999);  // a handler is a function
    expect(mail.sent == std::vector<std::string>{"Welcome in 1999, Alice"}, "called directly");
  }
  {
    msgbus::sync::consumer consumer;
    consumer.handler(welcome);
    recording_mailer mail;
    consumer.override(get_mailer, [&]() -> mailer& { return mail; });
    {
      const auto in_1999 = consumer.scoped_override(current_year, [] { return 1999; });
      consumer.consume<user_registered>("Alice");
      expect(mail.sent.back() == "Welcome in 1999, Alice", "through the consumer");
    }
    consumer.consume<user_registered>("Bob");
    expect(mail.sent.back() == "Welcome in 2025, Bob", "the default is back after the scope");
  }
  {
    msgbus::sync::consumer consumer;
    consumer.handler(welcome);
    try {
      consumer.consume<user_registered>("Alice");
      expect(false, "a missing mailer is an error");
    } catch (const msgbus::error& error) {
      expect(error.code() == msgbus::errc::not_provided, error.what());
    }
  }
  return failures == 0 ? 0 : 1;
}
