#pragma once

// Messages that survive the process: an outbox and an inbox in an SQLite file.

#include <msgbus/bridge.hpp>
#include <msgbus/durable/database.hpp>
#include <msgbus/durable/dead_letter.hpp>
#include <msgbus/durable/inspect.hpp>
#include <msgbus/durable/options.hpp>
#include <msgbus/durable/transaction.hpp>
#include <msgbus/durable/unit_of_work.hpp>
#include <msgbus/durable/value.hpp>
