#include <msgbus/detail/core/type_key.hpp>

#include <msgbus/detail/core/convert.hpp>

namespace msgbus::detail {

namespace {

#if defined(__GLIBCXX__)
// libstdc++ compares types of internal linkage by address only. A comparison with a copy of the
// name shows which kind a type is.
struct of_name : std::type_info {
  explicit of_name(const char* name) : std::type_info(name) {}
};
bool has_external_linkage(const std::type_info& info) {
  const std::string copy = info.name();
  return info == of_name(copy.c_str());
}
#else
bool has_external_linkage(const std::type_info&) { return true; }
#endif

}  // namespace

kept_type::kept_type(type_key of) : key_(of), hash_(of->hash) {
  if (of->info && has_external_linkage(*of->info)) info_name_ = of->info->name();
}

bool kept_type::has_name(const std::type_info& info) const noexcept {
  return !info_name_.empty() && info_name_ == info.name();
}

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
