#include "component/explain.hpp"

#include <msgbus/detail/core/convert.hpp>
#include <msgbus/topic.hpp>

#include <algorithm>

namespace msgbus::component {

namespace {

explanation::entry entry_of(const receiver& of, const described_handler& handler) {
  explanation::entry made;
  made.component = of.label;
  made.handler = handler.facts;
  made.executor = handler.facts.executor.empty() ? of.executor : handler.facts.executor;
  return made;
}

/// The handler's route has the message: it runs, unless the component takes none.
void add_routed(explanation& to, const receiver& of, const described_handler& handler,
                explanation::entry made) {
  if (!of.refusal.empty()) {
    made.reasons.push_back(of.refusal);
    to.others.push_back(std::move(made));
    return;
  }
  if (!of.choice.empty()) made.reasons.push_back(of.choice);
  made.reasons.insert(made.reasons.end(), handler.obstacles.begin(), handler.obstacles.end());
  to.run.push_back(std::move(made));
}

void add_other(explanation& to, explanation::entry made, std::string reason) {
  made.reasons.push_back(std::move(reason));
  to.others.push_back(std::move(made));
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool accepts(const described_handler& handler, type_key type) {
  return std::ranges::any_of(handler.types,
                             [&](type_key each) { return detail::is_same_type(each, type); });
}

/// For a handler that does not take the type.
std::string takes_other(const described_handler& handler, type_key type) {
  const bool has_namesake =
      std::ranges::any_of(handler.types, [&](type_key each) { return each->name == type->name; });
  if (has_namesake) {
    return "it takes another type of the same name: one of an unnamed namespace, or of a shared "
           "library that hides its types";
  }
  return "it takes " + names_of(handler.types) + ", not " + std::string(type->name);
}

/// Whether values of a type become values of another one (T5).
enum class conversion { none, of_some, of_all };

template <class... Targets>
bool converts_to_one(type_key to, type_key from) {
  return ((detail::is_type<Targets>(to) && detail::converts_from<Targets>(from)) || ...);
}

conversion conversion_between(type_key from, type_key to) {
  if (converts_to_one<std::string, std::string_view>(to, from)) return conversion::of_all;
  if (from->single && detail::is_type<double>(to)) return conversion::of_all;
  if (!from->integer) return conversion::none;
  const bool is_number =
      to->integer || to->single || detail::is_type<double>(to) || detail::is_type<long double>(to);
  return is_number ? conversion::of_some : conversion::none;
}

conversion best_conversion(const described_handler& handler, type_key from) {
  conversion best = conversion::none;
  for (const type_key each : handler.types) best = std::max(best, conversion_between(from, each));
  return best;
}

/// The number of changes of one character that make one text the other.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = i;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t changed = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

void add_notes(explanation& to, const receiver& of) {
  for (const std::string& each : of.notes) to.notes.push_back(of.label + ": " + each);
  if (of.handlers.empty()) to.notes.push_back(of.label + ": it has no handlers");
}

}  // namespace

void explain_event(explanation& to, const receiver& of, type_key type) {
  add_notes(to, of);
  for (const described_handler& each : of.handlers) {
    if (accepts(each, type)) add_routed(to, of, each, entry_of(of, each));
  }
  // Those of every type come after the typed ones (T4).
  for (const described_handler& each : of.handlers) {
    if (each.types.empty()) {
      add_routed(to, of, each, entry_of(of, each));
    } else if (!accepts(each, type)) {
      add_other(to, entry_of(of, each), takes_other(each, type));
    }
  }
}

void explain_message(explanation& to, const receiver& of, std::string_view topic, type_key type) {
  add_notes(to, of);
  const std::size_t before = to.run.size();
  std::string on_topic;
  for (const described_handler& each : of.handlers) {
    explanation::entry made = entry_of(of, each);
    std::string mismatches;
    for (const std::string& pattern : each.facts.patterns) {
      const std::string here = difference(pattern, topic);
      if (here.empty()) {
        made.pattern = pattern;
        break;
      }
      mismatches += (mismatches.empty() ? "" : "; ") + here;
    }
    if (made.pattern.empty()) {
      add_other(to, std::move(made), std::move(mismatches));
    } else if (!type || each.types.empty() || accepts(each, type)) {
      add_routed(to, of, each, std::move(made));
    } else {
      const conversion best = best_conversion(each, type);
      if (best == conversion::none) {
        on_topic += (on_topic.empty() ? "" : "; ") + each.facts.label;
        add_other(to, std::move(made), takes_other(each, type));
        continue;
      }
      made.reasons.push_back(
          std::string(type->name) + " is converted to " + names_of(each.types) +
          (best == conversion::of_all ? "" : ", if that can hold the value; otherwise not"));
      add_routed(to, of, each, std::move(made));
    }
  }
  if (to.run.size() == before && !on_topic.empty()) {
    to.notes.push_back(no_handler_accepts(std::string(type->name), topic, on_topic));
  }
}

void explain_command(explanation& to, const receiver& of, std::string_view name) {
  for (const std::string& each : of.notes) to.notes.push_back(of.label + ": " + each);
  std::vector<std::string> names;
  for (const described_handler& each : of.handlers) {
    names.push_back(each.facts.operation);
    if (each.facts.operation == name) add_routed(to, of, each, entry_of(of, each));
  }
  const bool is_there = std::ranges::find(names, name) != names.end();
  for (const described_handler& each : of.handlers) {
    if (each.facts.operation == name) continue;
    const std::size_t away = is_there ? name.size() : distance(each.facts.operation, name);
    add_other(to, entry_of(of, each),
              "it has another name than " + quoted(name) +
                  (away <= 1 + name.size() / 4 ? ": was this one meant?" : ""));
  }
  std::ranges::sort(names);
  if (!is_there) to.notes.push_back(no_operation(of.label, name, names));
}

explanation ask(std::string_view topic, type_key type, std::string_view verb) {
  explanation made;
  made.question = (type ? std::string(type->name) : std::string("a message")) + " on " +
                  quoted(topic) + ", " + std::string(verb);
  return made;
}

bool check_topic(explanation& to, std::string_view topic) {
  try {
    detail::check_topic(topic);
    return true;
  } catch (const error& fault) {
    to.notes.emplace_back(fault.what());
    return false;
  }
}

void conclude(explanation& to, bool has_receivers, std::string_view sender) {
  if (!has_receivers) {
    to.notes.push_back("nothing is bound to " + std::string(sender) +
                       ": call bind(...) with the components that shall get its messages");
  }
}

std::string difference(std::string_view pattern, std::string_view topic) {
  const std::string by = "the pattern " + quoted(pattern);
  std::string_view expected = pattern;
  std::string_view given = topic;
  for (std::size_t at = 1; !expected.empty() || !given.empty(); ++at) {
    if (expected.empty()) return by + " ends after token " + std::to_string(at - 1);
    const std::string_view token = detail::next_token(expected);
    if (given.empty()) {
      return by + " has a token " + std::to_string(at) + ", " + quoted(token) +
             ", and the topic has not";
    }
    if (token == ">") return {};
    const std::string_view here = detail::next_token(given);
    if (token != "*" && token != here) {
      return by + " has " + quoted(token) + " as token " + std::to_string(at) +
             ", and the topic has " + quoted(here);
    }
  }
  return {};
}

std::string no_handler_accepts(const std::string& type, std::string_view topic,
                               const std::string& handlers) {
  return "message of type " + type + " on topic " + quoted(topic) +
         ": no handler accepts this type; handlers on this topic: " + handlers;
}

std::string no_operation(std::string_view service, std::string_view name,
                         const std::vector<std::string>& names) {
  std::string there;
  for (const std::string& each : names) there += (there.empty() ? "" : ", ") + each;
  return std::string(service) + " has no operation " + quoted(name) + "; it " +
         (there.empty() ? "has none" : "has: " + there);
}

}  // namespace msgbus::component
