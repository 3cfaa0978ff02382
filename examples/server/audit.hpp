#pragma once

/// Has a consumer write each fact to the audit log.

#include <msgbus/async/consumer.hpp>

#include "audit_file.hpp"

namespace exchange {

/// The consumer must handle one event at a time, so that lines are in order, and must not outlive
/// the file. When the disk is slow its handler waits, its mailbox becomes full, and so whoever
/// sends to it waits too.
void write_facts(audit_file& file, msgbus::async::consumer& consumer);

}  // namespace exchange
