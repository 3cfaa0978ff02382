#include "nats/urls.hpp"

#include <msgbus/error.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace urls_test {

using msgbus::errc;
using msgbus::nats::parse_urls;
using msgbus::nats::server_url;
using msgbus::nats::shown;
using msgbus::nats::shown_as_written;
using msgbus_test::code_of;
using msgbus_test::text_of;

namespace {

// `scheme|user|password|host|port` of each, '-' for none.
std::string read(std::string_view list) {
  std::string all;
  for (const server_url& each : parse_urls(list)) {
    if (!all.empty()) all += "  ";
    const auto& with = each.credentials;
    all += each.scheme + '|' + (with ? with->user : "-") + '|' +
           (with && with->password ? *with->password : "-") + '|' + each.host + '|' + each.port;
  }
  return all;
}

struct row {
  std::string list;
  std::string read;
  std::string shown;
};

const std::vector<std::string> odd_passwords = {
    "a,b",    "a, b",  ",",     ",,",        "a@b",     "@",          "a:b",         ":",
    "a/b",    "//",    "a?b",   "a#b",       "a b",     "\"quoted\"", "back\\slash", "{}",
    "a;b",    "[::1]", "a,b@c", "a@h:1,b@c", "a,h:1,b", "%",          "50%off",      "%zz",
    "tab\tx", "a://b", "://",   "\xc3\xa4",  "'",       "a&b=c",      "$2a$x",       "<>"};

}  // namespace

TEST_CASE("urls are parsed") {
  const std::vector<row> all = {
      {"nats://h:4222", "nats|-|-|h|4222", "nats://h:4222"},
      {"h", "|-|-|h|", "h"},
      {"h:4222/", "|-|-|h|4222", "h:4222"},
      {"tls://h.example-1.org", "tls|-|-|h.example-1.org|", "tls://h.example-1.org"},
      {" h:1 ,\t h:2 ", "|-|-|h|1  |-|-|h|2", "h:1, h:2"},
      {"nats://a:1,nats://b:2", "nats|-|-|a|1  nats|-|-|b|2", "nats://a:1, nats://b:2"},
      {"nats://a:1,b:2,", "nats|-|-|a|1  |-|-|b|2", "nats://a:1, b:2"},
      {"nats://[::1]:4222", "nats|-|-|[::1]|4222", "nats://[::1]:4222"},
      {"nats://me:pw@[fe80::1%25lo]:1", "nats|me|pw|[fe80::1%25lo]|1", "nats://[fe80::1%25lo]:1"},
      {"nats://me:pw@h:1", "nats|me|pw|h|1", "nats://h:1"},
      {"me:pw@h", "|me|pw|h|", "h"},
      {"nats://token@h", "nats|token|-|h|", "nats://h"},
      {"nats://token:@h", "nats|token|-|h|", "nats://h"},
      {"nats://@h", "nats|-|-|h|", "nats://h"},
      {"nats://me:a%2Cb%40c%25@h", "nats|me|a,b@c%|h|", "nats://h"},
      {"nats://a%3Ab:c@h", "nats|a:b|c|h|", "nats://h"},
      {"nats://me:a,b@h:1", "nats|me|a,b|h|1", "nats://h:1"},
      {"nats://me:a, b@h:1", "nats|me|a, b|h|1", "nats://h:1"},
      {"nats://me:a,b@h:1,c:2", "nats|me|a,b|h|1  |-|-|c|2", "nats://h:1, c:2"},
      {"nats://me:a,b@h, tls://you:c,d@i", "nats|me|a,b|h|  tls|you|c,d|i|", "nats://h, tls://i"},
      {"a,nats://me:x,y,z@b:2,c", "|-|-|a|  nats|me|x,y,z|b|2  |-|-|c|", "a, nats://b:2, c"},
      // Only the first of those that have one scheme has a login.
      {"nats://me:x@a,you:y@b", "nats|me|x@a,you:y|b|", "nats://b"}};
  for (const row& each : all) {
    INFO(each.list);
    CHECK(read(each.list) == each.read);
    CHECK(shown(each.list) == each.shown);
  }
}

TEST_CASE("a password may have any characters, plain or percent-encoded") {
  for (const std::string& password : odd_passwords) {
    INFO(password);
    CHECK(read("nats://me:" + password + "@h:1") == "nats|me|" + password + "|h|1");
    const server_url made{"nats", "h", "1", msgbus::nats::login{"me", password}};
    // Texts in JSON are escaped.
    const std::string in_json = msgbus::nats::escaped(password);
    CHECK(read(written(made, true)) == "nats|me|" + in_json + "|h|1");
    CHECK(written(made, false) == "nats://me:" + in_json + "@h:1");
  }
  // All but the one with a comma and a scheme, which must be encoded.
  CHECK(read("nats://me:a%2Cnats://b@h") == "nats|me|a,nats://b|h|");
}

TEST_CASE("no text shows a part of a login") {
  for (const std::string& password : odd_passwords) {
    const std::string secret = "s3cr3t" + password + "s3cr3t";
    INFO(secret);
    for (const std::string& login : {"us3r:" + secret, secret}) {
      const std::string url = "nats://" + login + "@h:1";
      CHECK(shown(url) == "nats://h:1");
      CHECK(shown_as_written(url) == "nats://h:1");
      CHECK(shown(url + ", tls://" + login + "@[::1]:2") == "nats://h:1, tls://[::1]:2");
      CHECK(shown("a:1,b:2, " + url).find("s3cr3t") == std::string::npos);
      // Urls without a host, or without the '@'.
      for (const std::string& wrong : {"nats://" + login, url + "/x", url + "?x", url + ":x"}) {
        CHECK(shown(wrong).find("us3r:s3cr3t") == std::string::npos);
        if (code_of([&] { (void)parse_urls(wrong); }) == errc::bad_arguments) {
          CHECK(text_of([&] { (void)parse_urls(wrong); }).find("s3cr3t") == std::string::npos);
        }
      }
    }
  }
  CHECK(shown_as_written("nats://me:1,nats://s3cr3t@h:4222") == "nats://h:4222");
}

TEST_CASE("an invalid url is refused, and the error has its number and its fault") {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"", "no url to connect to"},
      {" , ", "no url to connect to"},
      {"nats://h:port", "url 1 of 1 cannot be read: its port is no number"},
      {"a,nats://h:123456", "url 2 of 2 cannot be read: its port is no number"},
      {"nats://[::1:1", "url 1 of 1 cannot be read: the text in its brackets is no address"},
      {"nats://[x y]:1", "url 1 of 1 cannot be read: the text in its brackets is no address"},
      {"nats://h/path",
       "url 1 of 1 cannot be read: its host has characters that are not allowed in one"},
      {"nats://h x,b",
       "url 1 of 2 cannot be read: its host has characters that are not allowed in one"},
      {"nats://:pw@h", "url 1 of 1 cannot be read: it has a password, and no user"}};
  for (const auto& [list, text] : all) {
    INFO(list);
    CHECK(code_of([&, of = list] { (void)parse_urls(of); }) == errc::bad_arguments);
    CHECK(text_of([&, of = list] { (void)parse_urls(of); }) == text);
  }
  CHECK(shown("nats://h:port,b") == "a url that cannot be read, b");
}

TEST_CASE("a text in JSON is escaped") {
  CHECK(msgbus::nats::escaped("a\"b\\c\nd\x01") == "a\\\"b\\\\c\\u000ad\\u0001");
  CHECK(msgbus::nats::escaped("\xc3\xa4 plain") == "\xc3\xa4 plain");
}

}  // namespace urls_test
