#include <msgbus/bridge/remote_service.hpp>

#include <msgbus/core/topic.hpp>

namespace msgbus {

remote_service::remote_service(const bridge& over, std::string prefix, call_options how)
    : hub_(over.parts_->hub), prefix_(std::move(prefix)), how_(how) {
  detail::check_topic(prefix_);
}

asio::awaitable<envelope> remote_service::ask(std::string_view name, payload arguments) const {
  std::string topic = prefix_ + "." + std::string(name);
  detail::check_topic(topic);
  envelope asked = bridging::stamped(hub_->ids, std::move(topic), std::move(arguments), {},
                                     context::caused_by(detail::current_origin()));
  return bridging::hub::ask(hub_, std::move(asked), how_.timeout);
}

}  // namespace msgbus
