// A dependency that cleans up: it begins a transaction, runs the handler, and commits, or rolls
// back if the handler throws. The handler knows of neither.

#include <msgbus/sync.hpp>

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

using accounts = std::map<std::string, int>;

inline constexpr msgbus::required<accounts&> get_accounts{"accounts"};

// Gives a working copy, which becomes the real accounts only if the handler ends well.
void unit_of_work(msgbus::yield<accounts&> yield, msgbus::depends<get_accounts> stored) {
  accounts working = *stored;
  try {
    yield(working);  // the handler runs here, and its exception comes out of this call
  } catch (...) {
    std::cout << "  roll back\n";
    throw;
  }
  *stored = std::move(working);
  std::cout << "  commit\n";
}

void transfer(const std::string& from, const std::string& to, int amount,
              msgbus::depends<unit_of_work> work) {
  (*work)[to] += amount;
  (*work)[from] -= amount;
  if ((*work)[from] < 0) throw std::runtime_error(from + " has not enough");
}

int main() {
  accounts bank{{"Alice", 100}, {"Bob", 0}};
  msgbus::sync::service service;
  service.override(get_accounts, [&]() -> accounts& { return bank; });
  const auto pay = service.handler("transfer", transfer);

  for (const int amount : {70, 50}) {
    std::cout << "transfer " << amount << '\n';
    try {
      pay("Alice", "Bob", amount);
    } catch (const std::exception& error) {
      std::cout << "  refused: " << error.what() << '\n';
    }
    std::cout << "  Alice has " << bank["Alice"] << ", Bob has " << bank["Bob"] << '\n';
  }
}
