#include "durable/id_sweep.hpp"

#include "durable/schema.hpp"

#include <SQLiteCpp/Column.h>

namespace msgbus::durable::detail {

bool id_sweep::step(connection& in, std::int64_t now, std::size_t many_ids,
                    std::size_t many_messages) {
  if (ids_.empty()) {
    messages_up_to_ = 0;  // first: a failed read leaves some ids behind
    read_ids(in, now, many_ids);
  }
  if (!ids_.empty()) {
    if (!look_at_messages(in, many_messages)) return true;
    if (!forget_rest(in, many_messages)) return true;
  }
  if (!is_last_part_) return true;
  last_ = {};
  return false;
}

void id_sweep::read_ids(connection& in, std::int64_t now, std::size_t many) {
  SQLite::Statement& find =
      in.prepared(with_prefix("select keep_until, id, consumer from %inbox where keep_until <= ?"
                              " and (keep_until, id, consumer) > (?, ?, ?)"
                              " order by keep_until, id, consumer limit ?",
                              prefix_));
  find.bind(1, now);
  find.bind(2, last_.keep_until);
  find.bind(3, last_.id);
  find.bind(4, last_.consumer);
  find.bind(5, static_cast<std::int64_t>(many));
  std::size_t found = 0;
  while (in.next_row(find)) {
    ++found;
    last_ = {find.getColumn(0).getInt64(), find.getColumn(1).getString(),
             find.getColumn(2).getString()};
    ids_[last_.id].push_back(last_.consumer);
  }
  is_last_part_ = found < many;
}

bool id_sweep::look_at_messages(connection& in, std::size_t many) {
  SQLite::Statement& find = in.prepared(
      with_prefix("select seq, id from %outbox where seq > ? order by seq limit ?", prefix_));
  find.bind(1, messages_up_to_);
  find.bind(2, static_cast<std::int64_t>(many));
  std::size_t found = 0;
  while (in.next_row(find)) {
    ++found;
    messages_up_to_ = find.getColumn(0).getInt64();
    ids_.erase(find.getColumn(1).getString());
  }
  return found < many;
}

bool id_sweep::forget_rest(connection& in, std::size_t many) {
  SQLite::Statement& remove =
      in.prepared(with_prefix("delete from %inbox where id = ?1 and consumer = ?2"
                              " and not exists (select 1 from %dead where id = ?1)",
                              prefix_));
  for (; many > 0 && !ids_.empty(); --many) {
    const auto first = ids_.begin();
    for (const std::string& each : first->second) {
      remove.bind(1, first->first);
      remove.bind(2, each);
      in.run(remove);
    }
    ids_.erase(first);
  }
  return ids_.empty();
}

}  // namespace msgbus::durable::detail
