#include <msgbus/bridge/remote_service.hpp>

#include <msgbus/topic.hpp>

namespace msgbus {

remote_service::remote_service(const bridge& over, std::string prefix, call_options options)
    : hub_(over.state_->hub),
      prefix_(std::move(prefix)),
      options_(std::move(options)),
      policy_(options_.policy.is_plain() ? nullptr
                                         : std::make_shared<const call_policy>(options_.policy)) {
  detail::check_topic(prefix_);
}

bridging::call remote_service::make_call(std::string_view name, payload arguments) const {
  std::string topic;
  topic.reserve(prefix_.size() + 1 + name.size());
  topic.append(prefix_).append(1, '.').append(name);
  detail::check_topic(topic);
  const context ctx = context::caused_by(detail::current_origin());
  // Of CloudEvents, which must say what they are.
  const std::string type = options_.form == header_form::cloudevents ? topic : std::string();
  envelope request = bridging::make_envelope(hub_->ids, std::move(topic), std::move(arguments),
                                             {.type = type,
                                              .ctx = ctx,
                                              .form = options_.form,
                                              .source = options_.source,
                                              .is_request = true});
  return {hub_,
          std::move(request),
          {prefix_.size(), options_.timeout, options_.form != header_form::none, policy_}};
}

}  // namespace msgbus
