#pragma once

/// Operations for other processes.

#include <msgbus/async/operation.hpp>
#include <msgbus/detail/bridge/commands.hpp>
#include <msgbus/detail/bridge/link_base.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace msgbus {
struct serve_options;
}  // namespace msgbus

namespace msgbus::bridging {

/// A type-erased operation.
class served_operation : public async::detail::answer_encoder {
 public:
  served_operation(std::string called, std::shared_ptr<async::detail::service_core> in)
      : name(std::move(called)), service(std::move(in)) {}
  served_operation(const served_operation&) = delete;
  served_operation& operator=(const served_operation&) = delete;
  virtual ~served_operation() = default;

  /// Decodes a command. Throws `bad_arguments`.
  [[nodiscard]] virtual async::detail::command_ptr read(std::string_view bytes,
                                                        shared_origin came_with) const = 0;
  /// The result of a command that has succeeded; once.
  [[nodiscard]] virtual msgbus::detail::encoded result(async::detail::command& asked) const = 0;
  /// The type of the result, for descriptions.
  [[nodiscard]] virtual graph::channel::message described_result() const = 0;

  [[nodiscard]] exec::kept_answer encode(async::detail::command& asked) const final {
    msgbus::detail::encoded made = result(asked);
    return {std::move(made.bytes), std::string(made.content_type())};
  }
  /// The answer to a command that has succeeded: its result, unless that was encoded before.
  [[nodiscard]] msgbus::detail::encoded answer(async::detail::command& asked) const {
    if (asked.answer) return payload{asked.answer->bytes, asked.answer->content_type};
    return result(asked);
  }

  const std::string name;
  const std::shared_ptr<async::detail::service_core> service;
};

template <class R, class... Args>
class typed_operation final : public served_operation {
  static_assert(((!std::is_lvalue_reference_v<Args> ||
                  std::is_const_v<std::remove_reference_t<Args>>) &&
                 ...),
                "msgbus: an operation that changes its arguments cannot be served to other "
                "processes, which cannot reach the caller's variables");

 public:
  typed_operation(const async::operation<R(Args...)>& called, encoding mode)
      : served_operation(called.name(), called.service()), called_(called), mode_(mode) {}

  async::detail::command_ptr read(std::string_view bytes, shared_origin came_with) const override {
    const std::string_view content_type = header_of(came_with->headers, header::content_type);
    auto arguments = read_arguments<wire_argument<Args>...>(name, bytes, content_type);
    auto made = [&](auto&... each) {
      return called_.make_command(std::move(came_with), std::move(each)...);
    };
    return std::apply(made, arguments);
  }

  msgbus::detail::encoded result(async::detail::command& asked) const override {
    auto& given = static_cast<async::detail::command_for<R>&>(asked);
    msgbus::detail::encoded made;
    if constexpr (std::is_void_v<R>) {
      given.take();
    } else {
      std::decay_t<R> result = given.take();
      made = msgbus::detail::encode<std::decay_t<R>>(result, mode_);
    }
    return made;
  }

  graph::channel::message described_result() const override {
    return message_of(msgbus::detail::wire_type_of<std::decay_t<R>>, mode_);
  }

 private:
  const async::operation<R(Args...)> called_;
  const encoding mode_;
};

/// Throws `no_handler` for an empty operation.
void check_is_operation(bool is_one);

using served_operations = std::vector<std::shared_ptr<const served_operation>>;

template <class R, class... Args>
std::shared_ptr<const served_operation> make_served(const async::operation<R(Args...)>& called,
                                                    encoding mode) {
  check_is_operation(called.service() != nullptr);
  return std::make_shared<const typed_operation<R, Args...>>(called, mode);
}

/// Serves each operation on `<prefix>.<name>`, and answers discovery.
[[nodiscard]] std::shared_ptr<link_base> join_served(std::shared_ptr<hub> over, std::string prefix,
                                                     served_operations operations,
                                                     const serve_options& options);

}  // namespace msgbus::bridging
