#include <msgbus/detail/core/convert.hpp>

namespace msgbus::detail {

std::string describe(value_ref value) {
  std::string type(value.type->name);
  if (value.type->text && !value.type->text(value.data)) return "a null pointer (" + type + ")";
  if (!value.type->integer) return type;
  const integer_value number = value.type->integer(value.data);
  std::string text = std::to_string(number.magnitude);
  if (number.negative) text.insert(text.begin(), '-');
  return text.append(" (").append(type).append(")");
}

}  // namespace msgbus::detail
