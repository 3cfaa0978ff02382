#include <msgbus/exec/outgoing.hpp>

namespace msgbus::exec {

void outgoing_share::prepare(bool for_slot) {
  shared_message mine = all_;
  if (for_slot) {
    mine_ = std::move(mine);
  } else if (!boxed_) {
    boxed_ = std::make_unique<carried_elsewhere<shared_message>>(std::move(mine));
  }
}

void outgoing_share::put(void* place) noexcept {
  ::new (place) carried_elsewhere<shared_message>(std::move(mine_));
}

}  // namespace msgbus::exec
