#include "top/table.hpp"

#include "top/text.hpp"

#include "support/catch.hpp"
#include "top_documents.hpp"

#include <string>
#include <vector>

namespace table_test {

using msgbus::top::arranged;
using msgbus::top::column;
using msgbus::top::lines_of;
using msgbus::top::order;
using msgbus::top::row;
using msgbus::top::status;
using msgbus_test::contains;

namespace {

row named(const char* name, std::uint64_t waiting = 0) {
  row made;
  made.name = name;
  made.kind = "consumer";
  made.executor = "io_context 1";
  made.waiting = waiting;
  made.capacity = 100;
  return made;
}

std::string names(const std::vector<row>& rows) {
  std::string all;
  for (const row& each : rows) all += each.name;
  return all;
}

status three() {
  status made;
  made.title = "shop";
  made.state = "serving";
  made.rows = {named("a", 5), named("b", 7), named("c", 5)};
  made.rows[2].trouble = 40;
  made.rows[2].worst = msgbus::top::level::warn;
  made.rows[0].handle = msgbus::top::quantiles{0.1, 0.2};
  return made;
}

}  // namespace

TEST_CASE("rows come by trouble, and equal ones in the order of the host") {
  CHECK(names(arranged(three(), {}, "")) == "cab");
  order by;
  by.choose(column::waiting);
  CHECK(names(arranged(three(), by, "")) == "bac");
  by.choose(column::waiting);
  CHECK(names(arranged(three(), by, "")) == "acb");
  by.choose(column::name);
  CHECK(names(arranged(three(), by, "")) == "abc");
  by.choose(column::name);
  CHECK(names(arranged(three(), by, "")) == "cba");
}

TEST_CASE("rows without a figure come last, whatever the order") {
  order by{.by = column::handle, .descending = true};
  CHECK(names(arranged(three(), by, "")) == "abc");
  by.descending = false;
  CHECK(names(arranged(three(), by, "")) == "abc");
}

TEST_CASE("a filter wants all of its words, in any case") {
  status all = three();
  all.rows[1].error = "Connection refused";
  CHECK(names(arranged(all, {}, "refused CONN")) == "b");
  CHECK(names(arranged(all, {}, "consumer")) == "cab");
  CHECK(names(arranged(all, {}, "refused missing")).empty());
}

TEST_CASE("without a width the table has every column and no spaces at the ends") {
  const auto lines = lines_of(arranged(three(), {}, ""), {}, 0);
  REQUIRE(lines.size() == 4);
  for (const auto& each : msgbus::top::columns()) {
    if (each.which != column::trouble) CHECK_THAT(lines[0].text, contains(std::string(each.title)));
  }
  CHECK_THAT(lines[2].text, contains("5/100"));
  CHECK_THAT(lines[2].text, contains("100ms/200ms"));
  CHECK(lines[1].worst == msgbus::top::level::warn);
  for (const auto& each : lines) CHECK(each.text.back() != ' ');
}

TEST_CASE("a narrow table leaves the least important columns out") {
  status all = three();
  all.rows[0].name = "a_name_that_is_longer_than_most_names_of_components_are";
  all.rows[0].error = "an error with very many words, which says all that there is to say";
  all.rows[0].error_age = 3;
  const auto rows = arranged(all, {}, "");
  for (const std::size_t width : {200U, 120U, 80U, 40U, 12U, 3U, 1U}) {
    CAPTURE(width);
    for (const auto& each : lines_of(rows, {}, width)) {
      CHECK(msgbus::top::width(each.text) == width);
    }
  }
  const std::string titles = lines_of(rows, {}, 80).front().text;
  CHECK_THAT(titles, contains("COMPONENT"));
  CHECK_THAT(titles, contains("FAILED/S"));
  CHECK_THAT(titles, !contains("KIND"));
}

TEST_CASE("the title of the column that rows are sorted by says so") {
  const order by{.by = column::failed, .descending = true};
  CHECK_THAT(lines_of(arranged(three(), by, ""), by, 0).front().text, contains("FAILED/S\u25bc"));
}

TEST_CASE("the summary counts what all components do") {
  status all = three();
  all.rows[0].handled = 1200;
  all.rows[1].failed = 0.5;
  all.state = "ending";
  CHECK(summary(all) ==
        "shop (ending): 3 components, 1 in trouble; a second 1200 handled, 0.5 "
        "failed, 0 dropped; 17 wait");
}

}  // namespace table_test
