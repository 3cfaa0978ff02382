// Names of any bytes in the figures for Prometheus: each sample is one line, and what is in its
// labels can be read again (O3).

#include "core/text.hpp"
#include "metrics/prometheus.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds, const char* sentence, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s: '%.*s'\n", sentence, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

/// The value of a label that begins in these quotes, which it leaves.
std::string read_label(std::string_view& text) {
  require(text.starts_with('"'), "the value of a label begins with a quote", text);
  std::string value;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return value;
    }
    if (text[at] == '\\') {
      ++at;
      require(at < text.size(), "an escape has a second character", text);
      const char c = text[at];
      require(c == 'n' || c == '\\' || c == '"', "an escape is one that Prometheus knows", text);
      value += c == 'n' ? '\n' : c;
    } else {
      require(text[at] != '\n', "the value of a label is in one line", text);
      value += text[at];
    }
  }
  require(false, "the value of a label ends", text);
  return value;
}

void skip(std::string_view& text, std::string_view part) {
  require(text.starts_with(part), "a sample has its parts", text);
  text.remove_prefix(part.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace msgbus::detail;
  const std::string all(reinterpret_cast<const char*>(data), size);
  const std::string first = all.substr(0, size / 2);
  const std::string second = all.substr(size / 2);
  for (const auto form : {exposition::prometheus, exposition::openmetrics}) {
    samples figures;
    figures.add(metric_table::waiting, {{"component", first}, {"kind", second}}, size);
    const std::string text = figures.text(form);
    require(find_not_utf8(text) == std::string_view::npos, "the text is UTF-8", text);
    std::string_view rest = text;
    for (const char* const comment : {"# HELP ", "# TYPE "}) {
      skip(rest, comment);
      rest.remove_prefix(rest.find('\n') + 1);
    }
    skip(rest, "msgbus_mailbox_messages{component=");
    require(read_label(rest) == to_utf8(first), "the first name is read again", text);
    skip(rest, ",kind=");
    require(read_label(rest) == to_utf8(second), "the second name is read again", text);
    skip(rest, "} ");
    skip(rest, std::to_string(size) + '\n');
    if (form == exposition::openmetrics) skip(rest, "# EOF\n");
    require(rest.empty(), "there is nothing else", text);
  }
  return 0;
}
