#pragma once

// The changes that the library makes by itself.

#include "durable/destination.hpp"
#include "durable/unit.hpp"
#include "durable/writer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace msgbus::durable::detail {

class database_core;

/// Removes the messages of a destination that were handled, all that there are when it runs. It is
/// repeated until that is in the file.
class mark_job final : public job, public std::enable_shared_from_this<mark_job> {
 public:
  mark_job(database_core& in, std::shared_ptr<destination> of)
      : core_(in), of_(std::move(of)), busy_(of_->busy()) {}

  void run(outbox& in) override;
  void committed(exec::event_batch& waiting) noexcept override;
  void failed(const std::exception_ptr& why) noexcept override;

 private:
  database_core& core_;
  const std::shared_ptr<destination> of_;
  const exec::wait_group::task busy_;
  std::vector<std::int64_t> handled_;
};

/// Writes the outcome of a message whose delivery has failed. It is repeated until the outcome is
/// in the file.
class settlement_job final : public job, public std::enable_shared_from_this<settlement_job> {
 public:
  enum class kind { again, dead_letter };

  using pointer = std::shared_ptr<settlement_job>;
  [[nodiscard]] static pointer again(database_core& in, std::shared_ptr<destination> of,
                                     std::int64_t seq, std::int64_t attempts, std::int64_t due,
                                     std::optional<std::string> key = {});
  [[nodiscard]] static pointer dead_letter(database_core& in, std::shared_ptr<destination> of,
                                           std::int64_t seq, std::int64_t attempts,
                                           std::string reason);

  settlement_job(database_core& in, kind type, std::shared_ptr<destination> of, std::int64_t seq)
      : core_(in), kind_(type), of_(std::move(of)), busy_(of_->busy()), seq_(seq) {}

  void run(outbox& in) override;
  void committed(exec::event_batch& waiting) noexcept override;
  void failed(const std::exception_ptr& why) noexcept override;

 private:
  database_core& core_;
  const kind kind_;
  const std::shared_ptr<destination> of_;
  const exec::wait_group::task busy_;
  const std::int64_t seq_;
  std::int64_t attempts_ = 0;
  std::int64_t due_ = 0;
  std::optional<std::string> key_;
  std::string reason_;
};

/// Messages that are due become messages for delivery.
class release_job final : public job {
 public:
  explicit release_job(database_core& in) noexcept : core_(in) {}
  void run(outbox& in) override;
  void committed(exec::event_batch& waiting) noexcept override;
  void failed(const std::exception_ptr& why) noexcept override;

 private:
  database_core& core_;
  std::vector<message_row> released_;
};

/// A change of dead letters, which somebody waits for.
class letter_job final : public job {
 public:
  enum class kind { replay, discard };
  letter_job(database_core& in, kind type, std::int64_t id) noexcept
      : core_(in), kind_(type), id_(id) {}

  completion ended;
  bool was_there = false;  // set before `ended`

  void run(outbox& in) override;
  void committed(exec::event_batch& waiting) noexcept override;
  void failed(const std::exception_ptr& why) noexcept override { ended.end(why); }

 private:
  database_core& core_;
  const kind kind_;
  const std::int64_t id_;
  std::optional<message_row> replayed_;
};

/// Forgets old ids.
class clean_up_job final : public job {
 public:
  explicit clean_up_job(database_core& in) noexcept : core_(in) {}
  void run(outbox& in) override;
  void committed(exec::event_batch& waiting) noexcept override;
  void failed(const std::exception_ptr& why) noexcept override;

 private:
  database_core& core_;
  bool has_more_ = false;
};

}  // namespace msgbus::durable::detail
