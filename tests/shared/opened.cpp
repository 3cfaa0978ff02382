// Two libraries are made of this, with the NAME `a` and `b`. They are opened with RTLD_LOCAL, and
// take msgbus from the program.

#include "plugin.hpp"

namespace {
// In each library a type of its own.
struct own {
  int number;
};
}  // namespace

extern "C" [[gnu::visibility("default")]] void attach(plugin_parts to, attached& made) {
  const auto note = [log = &to.log](const std::string& what) { *log += what + NAME " "; };
  made.push_back(to.consumer.handler([=](const hidden& h) { note(std::to_string(h.number)); }));
  made.push_back(to.consumer.handler([=](const own&) { note("own"); }));
  made.push_back(to.consumer.handler([=](msgbus::one_of<int, hidden> one) {
    if (const hidden* found = one.get_if<hidden>()) note("one" + std::to_string(found->number));
  }));
  made.push_back(to.subscriber.subscribe("t", [=](const hidden&) { note("topic"); }));
  made.push_back(to.events.handler([=](const hidden&) { note("async"); }));
  made.push_back(to.consumer.handler(
      [=](long, msgbus::depends<get_limit> limit) { note("limit" + std::to_string(*limit)); }));
  (void)to.service.handler(NAME, [](hidden h) { return hidden{h.number + 1}; });
}

extern "C" [[gnu::visibility("default")]] std::size_t consume(msgbus::sync::consumer& by,
                                                              int number) {
  return by.consume(hidden{number}) + 100 * by.consume(own{number});
}
