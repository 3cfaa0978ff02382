#pragma once

namespace msgbus::snapshot::detail {

/// Asks the system for fences on request. Call before the first reader; later calls do nothing.
void prepare_fences();

/// The writers' half of `reader_fence`: every other thread of the process passes a full fence
/// between this call and its return.
void writer_fence();

}  // namespace msgbus::snapshot::detail
