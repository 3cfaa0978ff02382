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

}  // namespace bench
