#pragma once

namespace msgbus::snapshot::detail {

/// Whether a writer can make every other thread pass a full fence, so that readers need none.
/// Decided once, by the first call.
[[nodiscard]] bool writers_fence();

/// Between the call and the return every other thread of the process passes a full fence, if
/// `writers_fence()`; otherwise only this one does. Writers that call it at once share the system
/// call.
void writer_fence();

}  // namespace msgbus::snapshot::detail
