#include <msgbus/detail/core/failures.hpp>
#include <msgbus/error.hpp>

#include "core/text.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

namespace msgbus {

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "msgbus"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::no_handler: return "no handler";
      case errc::bad_arguments: return "bad arguments";
      case errc::not_provided: return "dependency not provided";
      case errc::duplicate_handler: return "duplicate handler";
      case errc::invalid_topic: return "invalid topic";
      case errc::type_mismatch: return "type mismatch";
      case errc::closed: return "closed";
      case errc::full: return "full";
      case errc::would_deadlock: return "would deadlock";
      case errc::timed_out: return "timed out";
      case errc::circuit_open: return "circuit open";
      case errc::rate_limited: return "rate limited";
      case errc::misused_dependency: return "misused dependency";
      case errc::decode_failed: return "decode failed";
      case errc::disconnected: return "disconnected";
      case errc::handlers_failed: return "several handlers failed";
      case errc::remote_failed: return "a remote handler failed";
      case errc::encode_failed: return "encode failed";
      case errc::access_denied: return "access denied";
      case errc::unsupported: return "unsupported by the transport";
      case errc::transport_failed: return "the transport failed";
      case errc::database_failed: return "the database failed";
      case errc::in_flight: return "a message with the same key is being handled";
    }
    return "unknown msgbus error " + std::to_string(code);
  }
};

std::string join(const std::vector<std::exception_ptr>& errors) {
  std::string text = std::to_string(errors.size()) + " failures: ";
  const char* separator = "";
  for (const auto& each : errors) {
    text += std::exchange(separator, "; ") + describe(each);
  }
  return text;
}

}  // namespace

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

error::error(errc code, const std::string& text)
    : std::system_error(make_error_code(code)), text_(detail::escaped(text)) {}

dispatch_error::dispatch_error(std::vector<std::exception_ptr> errors)
    : error(errc::handlers_failed, join(errors)),
      errors_(std::make_shared<const std::vector<std::exception_ptr>>(std::move(errors))) {}

std::string describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

namespace detail {

void failures::add_behind(std::exception_ptr exception) noexcept {
  try {
    if (!others_) others_ = std::make_unique<std::vector<std::exception_ptr>>().release();
    others_->push_back(std::move(exception));
  } catch (const std::bad_alloc&) {
    return;  // the first one tells that there was a failure
  }
}

void failures::add_new(const std::exception_ptr& exception) noexcept {
  for (std::size_t i = 0; i < size(); ++i) {
    if ((*this)[i] == exception) return;
  }
  add(exception);
}

void failures::take(failures& other) noexcept {
  failures taken(std::move(other));
  for (std::size_t i = 0; i < taken.size(); ++i) add(taken[i]);
}

void failures::throw_all() {
  failures all(std::move(*this));
  if (all.size() == 1) std::rethrow_exception(all.first_);
  try {
    std::vector<std::exception_ptr> each;
    each.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) each.push_back(all[i]);
    throw dispatch_error(std::move(each));
  } catch (const std::bad_alloc&) {
    std::rethrow_exception(all.first_);
  }
}

}  // namespace detail

}  // namespace msgbus
