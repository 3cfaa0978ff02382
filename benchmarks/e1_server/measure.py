#!/usr/bin/env python3
"""Measures examples/server beside the same server written directly on Asio.

  benchmarks/e1_server/measure.py --build BUILD [--quick] [--json FILE] [--revision TEXT]

The two servers run in turn, each a process of its own, and are driven by example_load with the
same traffic: 64 connections that wait for each answer, four followers, and clients that break off.
Every run checks that each command was answered once and as recorded, and that books, read model,
audit log and followers agree. --quick: one short run of each, only to see that it works.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAFFIC = ROOT / "examples/data/traffic.jsonl"
MSGBUS, BASELINE = "msgbus, examples/server", "Asio, written by hand"
SERVERS = [(BASELINE, "baseline", "benchmarks/e1_server/e1_direct_server"),
           (MSGBUS, "msgbus", "examples/server/example_server")]
DRIVER = "examples/server/example_load"
THREADS = 1  # what suits both best where there are two cores, one of them the driver's


def fail(text):
    print(f"measure.py: {text}", file=sys.stderr)
    sys.exit(1)


def cpu_seconds(pid):
    """User and system time of a process, its threads included."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def context_switches(pid):
    total = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        total += sum(int(count) for count in
                     re.findall(r"ctxt_switches:\s+(\d+)", status.read_text()))
    return total


def cpu_of_sixths(pid, seconds):
    """CPU seconds that a process uses in the first and in the last sixth of so many seconds."""
    begin, used = time.monotonic(), []
    for moment in (0, seconds / 6, seconds * 5 / 6, seconds):
        time.sleep(max(begin + moment - time.monotonic(), 0))
        used.append(cpu_seconds(pid))
    return used[1] - used[0], used[3] - used[2]


def run(build, program, seconds):
    """The figures of one run. A run that loses an answer fails."""
    with tempfile.TemporaryDirectory() as folder:
        audit, figures = os.path.join(folder, "audit.jsonl"), os.path.join(folder, "figures.json")
        server = subprocess.Popen(
            [build / program, "--port", "0", "--audit", audit, "--threads", str(THREADS)],
            stdout=subprocess.PIPE, text=True)
        try:
            port = server.stdout.readline().strip().rpartition(":")[2]
            driver = subprocess.Popen(
                [build / DRIVER, "--port", port, "--traffic", TRAFFIC, "--audit", audit,
                 "--seconds", str(seconds), "--no-flood", "--figures", figures],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            used = cpu_of_sixths(server.pid, seconds)
            driven = driver.communicate()[0]
            if driver.returncode != 0:
                fail(f"{program} did not pass:\n{driven}")
            cpu, switches = cpu_seconds(server.pid), context_switches(server.pid)
            server.send_signal(signal.SIGINT)
            said = server.communicate(timeout=60)[0]
        finally:
            server.kill()
        if server.returncode != 0:
            fail(f"{program} ended with {server.returncode}:\n{said}")
        of = json.loads(pathlib.Path(figures).read_text())
    answered, each_second = of["answered"], of["answered_each_second"]
    sixth = max(len(each_second) // 6, 1)
    sixths = sum(each_second[:sixth]), sum(each_second[-sixth:])
    return {"answers_per_s": answered / of["seconds"], "p50_ms": of["p50_ms"],
            "p99_ms": of["p99_ms"], "server_us": cpu / answered * 1e6,
            "driver_us": of["driver_cpu_seconds"] / answered * 1e6,
            "switches": switches / answered,
            "first_sixth": sixths[0] / sixth, "last_sixth": sixths[1] / sixth,
            "first_sixth_us": used[0] / sixths[0] * 1e6,
            "last_sixth_us": used[1] / sixths[1] * 1e6}


def measured(build, rounds, seconds, long_seconds):
    """By server: the runs that are compared, and the long one."""
    runs = {name: [] for name, _, _ in SERVERS}
    for number in range(rounds):
        for name, _, program in SERVERS:
            runs[name].append(run(build, program, seconds))
            print(f"  round {number + 1} of {rounds}, {name}: "
                  f"{runs[name][-1]['answers_per_s']:.0f} answers/s", flush=True)
    long_runs = {}
    for name, _, program in SERVERS:
        long_runs[name] = run(build, program, long_seconds) if long_seconds else None
        if long_seconds:
            print(f"  {long_seconds} s, {name}: from {long_runs[name]['first_sixth']:.0f} to "
                  f"{long_runs[name]['last_sixth']:.0f} answers/s, "
                  f"{long_runs[name]['first_sixth_us']:.1f} to "
                  f"{long_runs[name]['last_sixth_us']:.1f} µs of CPU a command", flush=True)
    return runs, long_runs


def rows_of(runs, long_runs):
    rows = []
    for name, role, _ in SERVERS:
        row = {"name": name, "role": role}
        for figure in ("answers_per_s", "p50_ms", "p99_ms", "server_us", "driver_us", "switches"):
            row[figure] = round(statistics.median(each[figure] for each in runs[name]), 3)
        for figure in ("first_sixth", "last_sixth", "first_sixth_us", "last_sixth_us"):
            row[figure] = round(long_runs[name][figure], 1) if long_runs[name] else None
        rows.append(row)
    return rows


def verdicts(runs, long_runs):
    """Ratios are those of a round: of runs that came shortly one after the other."""
    def ratio(figure):
        return statistics.median(ours[figure] / baseline[figure]
                                 for ours, baseline in zip(runs[MSGBUS], runs[BASELINE]))

    rate, p99 = ratio("answers_per_s"), ratio("p99_ms")
    yield {"row": MSGBUS, "target": f"≥ 0.9x the answers/s of {BASELINE}", "figure": round(rate, 3),
           "shown": f"{rate:.2f}x", "met": rate >= 0.9}
    yield {"row": MSGBUS, "target": f"≤ 1.15x the p99 of {BASELINE}", "figure": round(p99, 3),
           "shown": f"{p99:.2f}x", "met": p99 <= 1.15}
    if long_runs[MSGBUS]:
        falls = long_runs[MSGBUS]["last_sixth"] / long_runs[MSGBUS]["first_sixth"]
        grows = long_runs[MSGBUS]["last_sixth_us"] / long_runs[MSGBUS]["first_sixth_us"]
        yield {"row": MSGBUS, "target": "last sixth of a minute ≥ 0.95x the first",
               "figure": round(falls, 3), "shown": f"{falls:.2f}x", "met": falls >= 0.95}
        yield {"row": MSGBUS, "target": "CPU per command in it ≤ 1.1x that in the first",
               "figure": round(grows, 3), "shown": f"{grows:.2f}x", "met": grows <= 1.1}


def setting(build, revision, load, given):
    cache = (build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M)[1]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    macros = subprocess.run([compiler, "-E", "-dM", "-x", "c++", "-include", "asio/version.hpp",
                             "/dev/null"], capture_output=True, text=True)
    asio = re.search(r"^#define ASIO_VERSION (\d+)", macros.stdout, re.M)
    asio = int(asio[1]) if asio else 0
    build_type = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M)[1]
    flags = [re.search(rf"^CMAKE_CXX_FLAGS{of}:\w+=(.*)$", cache, re.M)[1]
             for of in ("", f"_{build_type.upper()}")]
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    system = platform.uname()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "revision": revision, "mode": "quick" if given.quick else "full",
            "cpu": cpu[1] if cpu else "unknown", "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(memory, 2),
            "kernel": f"{system.system} {system.release} {system.machine}",
            "load_before": round(load, 2), "compiler": version.stdout.splitlines()[0],
            "flags": " ".join(each for each in flags if each),
            "asio": f"{asio // 100000}.{asio // 100 % 1000}.{asio % 100}"}


def show(rows, targets):
    print(f"\n{'E1':26} {'answers/s':>9} {'p50 ms':>7} {'p99 ms':>7} {'server µs':>9} "
          f"{'driver µs':>9} {'switches':>8} {'first 6th':>9} {'last 6th':>9}")
    for row in rows:
        sixths = ["-" if row[each] is None else f"{row[each]:.0f}"
                  for each in ("first_sixth", "last_sixth")]
        print(f"{row['name']:26} {row['answers_per_s']:>9.0f} {row['p50_ms']:>7.2f} "
              f"{row['p99_ms']:>7.2f} {row['server_us']:>9.1f} {row['driver_us']:>9.1f} "
              f"{row['switches']:>8.2f} {sixths[0]:>9} {sixths[1]:>9}")
    print()
    for each in targets:
        print(f"  {'met   ' if each['met'] else 'MISSED'}  {each['row']}: {each['shown']} "
              f"({each['target']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--long-seconds", type=int, default=60)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--revision", default="unknown")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seconds, given.long_seconds = 1, 2, 0
    build = given.build.resolve()
    for program in [DRIVER, *(program for _, _, program in SERVERS)]:
        if not (build / program).exists():
            fail(f"{build / program} is not built; the target is e1_server")
    load = os.getloadavg()[0]
    runs, long_runs = measured(build, given.rounds, given.seconds, given.long_seconds)
    rows = rows_of(runs, long_runs)
    targets = list(verdicts(runs, long_runs))
    show(rows, targets)
    if given.json:
        data = {**setting(build, given.revision, load, given), "rounds": given.rounds,
                "seconds": given.seconds, "runs": runs, "rows": rows, "targets": targets}
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n",
                              encoding="utf-8")


if __name__ == "__main__":
    main()
