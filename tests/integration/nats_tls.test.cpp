#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

namespace nats_tls_test {

using namespace msgbus_test;
using msgbus::errc;

namespace {

struct tls_server {
  temporary_folder folder;
  certificate mine{folder.path(), "localhost"};
  nats_server server{{"--tls", "--tlscert", mine.file, "--tlskey", mine.key}};

  [[nodiscard]] msgbus::nats::options options() const {
    msgbus::nats::options options;
    options.url = "tls://localhost:" + std::to_string(server.port());
    options.tls.ca_file = mine.file;
    return options;
  }
};

errc refusal(const msgbus::nats::options& options) {
  loop here;
  return static_cast<errc>(code_of([&] { connect(here, options); }).value());
}

}  // namespace

TEST_CASE("a trusted certificate with the host's name is accepted") {
  const tls_server at;
  loop here;
  here.run(connect(here, at.options())->flush(time_limit));

  auto by_option = at.options();
  by_option.url = at.server.url();
  by_option.tls.required = true;
  by_option.tls.expected_host = "localhost";
  here.run(connect(here, by_option)->flush(time_limit));
}

TEST_CASE("a certificate without a trusted issuer is refused") {
  const tls_server at;
  auto options = at.options();
  options.tls.ca_file.clear();
  CHECK(refusal(options) == errc::access_denied);
  const certificate another(at.folder.path(), "elsewhere");
  options.tls.ca_file = another.file;
  CHECK(refusal(options) == errc::access_denied);
}

TEST_CASE("a certificate for another host is refused") {
  const tls_server at;
  auto options = at.options();
  options.tls.expected_host = "elsewhere";
  CHECK(refusal(options) == errc::access_denied);
}

TEST_CASE("a server without TLS is refused if TLS is required, and the other way round") {
  const nats_server plain;
  msgbus::nats::options options;
  options.url = "tls://localhost:" + std::to_string(plain.port());
  CHECK(refusal(options) == errc::access_denied);

  const tls_server at;
  options.url = at.server.url();
  CHECK(refusal(options) == errc::access_denied);
}

}  // namespace nats_tls_test
