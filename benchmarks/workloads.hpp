#pragma once

/// All workloads. Each is defined in the file of its name.

#include "harness.hpp"

#include <vector>

namespace bench {

workload s1_dispatch();
workload s2_dispatch_ten();
workload s3_subscribe_cancel();
workload s4_topics();
workload s5_threads();
workload s6_depends();
workload s7_execute();

/// How costs grow: handlers, topics, patterns, subscriptions, threads.
std::vector<growth> scaling();

// Of the async family.
workload a1_post();
workload a2_two_producers();
workload a3_send();
workload a4_consume();
workload a5_dispatch();
workload a6_round_trip();
workload a7_thousand_mailboxes();
workload a8_slow_consumer();
workload a9_wake();
workload p1_breaker();
workload p2_rate_limit();
workload p3_limits_of_runs();
workload p4_other_parts();
workload m1_memory();
workload m2_many();
workload p5_per_key();
workload p6_scheduled();
workload o1_counts();
workload o2_times();
workload o3_traces();
workload o3_sync_traces();
workload o4_monitor();
workload o5_rate();
workload o5_stops();
growth o5_scrape();

// Of the nats family.
workload n1_publish();
workload n2_remote_execute();
workload n2_in_flight();
workload n3_durable_publish();
workload n4_durable_consume();
workload n5_json_events();
growth n6_processes();
workload n6_latency(bool quick);
workload n6_links();

// Of the durable family; the last one over NATS.
workload w1_transactions();
workload w2_one_at_a_time();
workload w3_handled();
workload w4_stream();

/// How the cost of a publish grows with mailboxes.
growth mailboxes();

}  // namespace bench
