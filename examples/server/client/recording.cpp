#include "client/recording.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>

namespace load {

using json = nlohmann::ordered_json;

std::string step::line(std::int64_t id, const names& known) const {
  std::string out;
  out.reserve(text.size() + 24);
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '@') {
      out += std::to_string(id);
      ++at;
    } else if (text.compare(at, 2, "\"$") == 0) {
      const std::size_t end = text.find('"', at + 2);
      const std::string_view name = std::string_view(text).substr(at + 2, end - at - 2);
      const auto found = known.find(name);
      if (found == known.end())
        throw std::runtime_error("no answer before gave the number $" + std::string(name));
      out += std::to_string(found->second);
      at = end + 1;
    } else {
      out += text[at++];
    }
  }
  return out + '\n';
}

recording read_recording(const std::string& file) {
  std::ifstream in(file);
  recording sessions;
  for (std::string line; std::getline(in, line);) {
    const json read = json::parse(line);
    step next;
    next.as = read.value("as", "");
    next.expect = read.value("expect", "ok");
    if (read.contains("raw")) {
      next.text = read["raw"].get<std::string>();
    } else {
      const json& send = read["send"];
      next.command = send["do"].get<std::string>();
      next.amount = send.value("amount", std::int64_t{0});
      next.text = "{\"id\":@," + send.dump().substr(1);
    }
    const auto session = read["session"].get<std::size_t>();
    if (sessions.size() <= session) sessions.resize(session + 1);
    sessions[session].push_back(std::move(next));
  }
  if (sessions.empty()) throw std::runtime_error("no session is recorded in " + file);
  return sessions;
}

}  // namespace load
