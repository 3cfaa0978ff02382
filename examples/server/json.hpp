#pragma once

/// How the business's values are written as JSON.

#include <nlohmann/json.hpp>

#include "domain.hpp"
#include "json_fwd.hpp"

namespace exchange {

void to_json(json& to, const account& from);
void to_json(json& to, const order& from);
void to_json(json& to, const totals& from);
void to_json(json& to, const symbol_summary& from);

/// What a fact is called in the audit log, and the last word of its topic.
[[nodiscard]] const char* name_of(const account_opened&);
[[nodiscard]] const char* name_of(const money_deposited&);
[[nodiscard]] const char* name_of(const money_withdrawn&);
[[nodiscard]] const char* name_of(const order_placed&);
[[nodiscard]] const char* name_of(const order_cancelled&);

void to_json(json& to, const account_opened& from);
void to_json(json& to, const money_deposited& from);
void to_json(json& to, const money_withdrawn& from);
void to_json(json& to, const order_placed& from);
void to_json(json& to, const order_cancelled& from);

/// One line of text, whatever bytes the strings hold.
[[nodiscard]] std::string to_line(const json& value);

}  // namespace exchange
