#include <msgbus/durable/options.hpp>

#include <msgbus/durable/database.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/thrown.hpp"

#include <fstream>
#include <sstream>

namespace options_test {

using msgbus::errc;
using msgbus::durable::open_options;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::loop;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

TEST_CASE("a database is on the disk by default", "[R1]") {
  CHECK(open_options().synchronous == msgbus::durable::synchronous::full);
  std::ostringstream out;
  out << msgbus::durable::synchronous::normal;
  CHECK(out.str() == "normal");
}

TEST_CASE("a file that does not last is refused", "[R4]") {
  loop in;
  CHECK_THROWS_WITH(open(in, quick(":memory:")), contains("not the path of a file"));
  CHECK(code_of([&] { open(in, quick("")); }) == errc::bad_arguments);
  CHECK(code_of([&] { open(in, quick("file:x?mode=memory")); }) == errc::bad_arguments);
}

TEST_CASE("options that contradict each other are refused", "[R4]") {
  loop in;
  const temporary_folder folder;
  open_options forgets = quick(folder.file());
  forgets.keep_handled = 1ms;
  forgets.retry.max_backoff = 1min;
  CHECK_THROWS_WITH(open(in, forgets), contains("keep_handled"));
  open_options never = quick(folder.file());
  never.retry.attempts = 0;
  CHECK(code_of([&] { open(in, never); }) == errc::bad_arguments);
  open_options quoted = quick(folder.file());
  quoted.prefix = "a b";
  CHECK_THROWS_WITH(open(in, quoted), contains("'a b'"));
}

TEST_CASE("a file that is no database is refused and stays as it is", "[R4]") {
  loop in;
  const temporary_folder folder;
  const std::string text(5000, 'x');
  std::ofstream(folder.file()) << text;
  CHECK_THROWS_WITH(open(in, quick(folder.file())), contains("not a database"));
  std::ifstream again(folder.file());
  CHECK(std::string(std::istreambuf_iterator<char>(again), {}) == text);
}

TEST_CASE("a missing folder is an error that names the file", "[R4]") {
  loop in;
  const temporary_folder folder;
  CHECK_THROWS_WITH(open(in, quick(folder.file("none/shop.db"))), contains("none/shop.db"));
}

}  // namespace options_test
