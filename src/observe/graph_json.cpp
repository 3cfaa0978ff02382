// The JSON form of a graph, as docs/describe.schema.json says.

#include "core/text.hpp"
#include "observe/graph_forms.hpp"
#include "observe/json_writer.hpp"

namespace msgbus::detail {

namespace {

std::string texts(const std::vector<std::string>& all) {
  return list_of(all, [](const std::string& each) { return json_string(each); });
}

void add_place(json_writer& to, const graph::place& place) {
  to.text("file", place.file).number("line", place.line);
}

std::string json_of(const graph::dependency& each) {
  json_writer made('{');
  made.text("name", each.name)
      .text("type", each.type)
      .flag("required", each.required)
      .flag("provided", each.provided())
      .text("overridden_by", each.overridden_by);
  add_place(made, each.overridden_at);
  made.member("needs",
              list_of(each.needs, [](const graph::dependency& one) { return json_of(one); }));
  return made.close('}');
}

std::string json_of(const graph::handler& each) {
  json_writer made('{');
  made.text("label", each.label)
      .member("messages", texts(each.messages))
      .member("patterns", texts(each.patterns))
      .text("operation", each.operation)
      .text("arguments", each.arguments)
      .text("result", each.result);
  add_place(made, each.attached_at);
  made.flag("coroutine", each.coroutine)
      .text("executor", each.executor)
      .text("policy", each.policy)
      .member("dependencies", list_of(each.dependencies,
                                      [](const graph::dependency& one) { return json_of(one); }));
  return made.close('}');
}

std::string json_of(const graph::channel::message& each) {
  json_writer made('{');
  made.text("name", each.name).text("content_type", each.content_type);
  return made.close('}');
}

std::string json_of(const graph::channel& each) {
  const auto messages = [](const std::vector<graph::channel::message>& all) {
    return list_of(all, [](const graph::channel::message& one) { return json_of(one); });
  };
  json_writer made('{');
  made.text("topic", each.topic)
      .flag("sends", each.sends)
      .flag("calls", each.calls)
      .member("messages", messages(each.messages))
      .member("replies", messages(each.replies));
  return made.close('}');
}

std::string json_of(const graph::component& each) {
  json_writer made('{');
  made.text("id", each.id)
      .text("name", each.name)
      .text("kind", each.kind)
      .text("family", each.family)
      .flag("closed", each.closed)
      .text("executor", each.executor)
      .number("capacity", each.capacity)
      .number("concurrency", each.concurrency)
      .text("on_full", each.on_full)
      .text("detail", each.detail)
      .member("handlers",
              list_of(each.handlers, [](const graph::handler& one) { return json_of(one); }))
      .member("servers", texts(each.servers))
      .member("channels",
              list_of(each.channels, [](const graph::channel& one) { return json_of(one); }));
  return made.close('}');
}

std::string json_of(const graph::binding& each) {
  json_writer made('{');
  made.text("from", each.from)
      .text("to", each.to)
      .text("group", each.group)
      .text("pick", each.pick);
  add_place(made, each.bound_at);
  return made.close('}');
}

}  // namespace

std::string graph_json(const graph& all) {
  json_writer made('{');
  made.number("version", 1)
      .member("components",
              list_of(all.components, [](const graph::component& one) { return json_of(one); }))
      .member("bindings",
              list_of(all.bindings, [](const graph::binding& one) { return json_of(one); }));
  return made.close('}');
}

}  // namespace msgbus::detail
