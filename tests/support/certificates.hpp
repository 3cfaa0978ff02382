#pragma once

// Certificates that openssl makes for a test.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace msgbus_test {

/// A self-signed certificate for a host, in files of the folder.
struct certificate {
  std::string file;
  std::string key;

  certificate(const std::filesystem::path& folder, const std::string& host)
      : file((folder / (host + ".pem")).string()), key((folder / (host + "-key.pem")).string()) {
    const std::string line =
        std::string(MSGBUS_OPENSSL) +
        " req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" +
        host + " -addext subjectAltName=DNS:" + host + " -keyout '" + key + "' -out '" + file +
        "' 2> '" + file + ".log'";
    if (std::system(line.c_str()) != 0) throw std::runtime_error("openssl failed: " + line);
  }
};

}  // namespace msgbus_test
