#include <msgbus/detail/component/operation_signature.hpp>

#include "support/catch.hpp"

namespace naming_test {

using msgbus::component::kebab_case;

TEST_CASE("kebab case turns underscores into dashes, and nothing else") {
  CHECK(kebab_case("update") == "update");
  CHECK(kebab_case("train_model") == "train-model");
  CHECK(kebab_case("keepsCase") == "keepsCase");
  CHECK(kebab_case("").empty());
}

TEST_CASE("kebab case takes the last name, without namespaces and template arguments") {
  CHECK(kebab_case("shop::train_model") == "train-model");
  CHECK(kebab_case("shop::v2::train_the_model") == "train-the-model");
  CHECK(kebab_case("shop::{anonymous}::train_model") == "train-model");
  CHECK(kebab_case("shop::train<shop::model_a>") == "train");
  CHECK(kebab_case("shop::store<shop::model_a>::add_item") == "add-item");
  CHECK(kebab_case("store<a::b>::add<c::d<e>>") == "add");
}

}  // namespace naming_test
