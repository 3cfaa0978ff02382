#!/usr/bin/env python3
"""Measures what handlers cost their users to compile, beside the same without a bus.

  benchmarks/compile/measure.py --commands COMPILE_COMMANDS [--json FILE] [--revision TEXT]

Compiles the files of this folder in turn, three times over, and takes medians: CPU seconds of the
compiler, its peak memory, bytes of code. COMPILE_COMMANDS, which CMake writes, says with which
compiler and which headers; what is optimised is -O2, whatever it says. ccache is left out.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 3
OPTIMISED = "-O2"

# Neighbours are compared, so that they are compiled one after the other.
FILES = ["std_headers", "sync_include", "bare_function_one", "bare_function_ten",
         "sync_one_handler", "sync_ten_handlers",
         "asio_headers", "async_include", "bare_awaitable_one", "bare_awaitable_ten",
         "async_one_handler", "async_ten_handlers"]

# A row: its name, its file, the file whose cost is not its own, how many of it are in the file, and
# the row without a bus that it is compared with.
ROWS = [
    ("the headers of std", "std_headers", None, 1, None),
    ("#include <msgbus/sync.hpp>", "sync_include", None, 1, "the headers of std"),
    ("first function and its call", "bare_function_one", "std_headers", 1, None),
    ("first handler and consume", "sync_one_handler", "sync_include", 1,
     "first function and its call"),
    ("each further function", "bare_function_ten", "bare_function_one", 9, None),
    ("each further handler", "sync_ten_handlers", "sync_one_handler", 9, "each further function"),
    ("the headers of Asio", "asio_headers", None, 1, None),
    ("#include <msgbus/async.hpp>", "async_include", None, 1, "the headers of Asio"),
    ("first awaitable function and its co_await", "bare_awaitable_one", "asio_headers", 1, None),
    ("first coroutine handler and consume", "async_one_handler", "async_include", 1,
     "first awaitable function and its co_await"),
    ("each further awaitable function", "bare_awaitable_ten", "bare_awaitable_one", 9, None),
    ("each further coroutine handler", "async_ten_handlers", "async_one_handler", 9,
     "each further awaitable function"),
]

# What is promised: the row, the figure, its limit, and the row that it is a multiple of, if any.
TARGETS = [
    ("#include <msgbus/sync.hpp>", "seconds", 1.3, "the headers of std"),
    ("first handler and consume", "seconds", 0.4, None),
    ("each further handler", "seconds", 0.06, None),
    ("each further handler", "code_bytes", 1500, None),
    ("#include <msgbus/async.hpp>", "seconds", 1.4, "the headers of Asio"),
    ("first coroutine handler and consume", "seconds", 1.0, None),
    ("each further coroutine handler", "seconds", 1.5, "each further awaitable function"),
    ("each further coroutine handler", "code_bytes", 1.5, "each further awaitable function"),
]


def fail(text):
    print(f"measure.py: {text}", file=sys.stderr)
    sys.exit(1)


def command_of(commands, name):
    """The compiler and the options that decide what is compiled, without those of the build."""
    source = str(HERE / f"{name}.cpp")
    for each in commands:
        if os.path.join(each["directory"], each["file"]) != source:
            continue
        words = shlex.split(each["command"])
        while os.path.basename(words[0]) == "ccache":
            words.pop(0)
        kept, rest = [words[0]], iter(words[1:])
        for word in rest:
            if re.fullmatch(r"-I|-isystem|-D", word):
                kept += [word, next(rest)]
            elif re.match(r"-(I|isystem|D|std=)", word) and word != "-DNDEBUG":
                kept.append(word)
        return [*kept, OPTIMISED, "-DNDEBUG", "-c", source]
    fail(f"the compile commands do not name {source}: is it in benchmarks/CMakeLists.txt?")


def compiled(command, made):
    """CPU seconds and the most memory in MiB of the compiler and all that it starts."""
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    running = subprocess.Popen([*command, "-o", made], env=environment)
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        fail(f"this did not compile: {shlex.join(command)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def code_bytes(made):
    """All sections of code, those of templates and inline functions included."""
    lines = subprocess.run(["size", "-A", made], capture_output=True, text=True, check=True).stdout
    return sum(int(size) for size in re.findall(r"^\.text\S*\s+(\d+)", lines, re.M))


def measured(commands):
    """By file: the seconds of each round, and of the last round memory and code."""
    files = {name: {"seconds": []} for name in FILES}
    of_file = {name: command_of(commands, name) for name in FILES}
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "made.o")
        for round_number in range(ROUNDS):
            for name, file in files.items():
                seconds, memory = compiled(of_file[name], made)
                file["seconds"].append(round(seconds, 3))
                file["memory_mib"] = round(memory)
                file["code_bytes"] = code_bytes(made)
            print(f"  round {round_number + 1} of {ROUNDS}", flush=True)
    return files, of_file


def figures(files):
    """A difference is that of one round: between files compiled shortly one after the other."""
    rows = []
    for name, file, without, many, bare in ROWS:
        of, less = files[file], files.get(without, {"seconds": [0] * ROUNDS, "code_bytes": 0})
        seconds = statistics.median((a - b) / many for a, b in zip(of["seconds"], less["seconds"]))
        row = {"name": name, "role": "msgbus" if bare else "baseline", "adds": without is not None,
               "seconds": round(seconds, 4), "memory_mib": of["memory_mib"],
               "code_bytes": round((of["code_bytes"] - less["code_bytes"]) / many)}
        compared = next((each for each in rows if each["name"] == bare), None)
        for figure in ("seconds", "code_bytes"):
            has_ratio = compared and compared[figure] > 0
            row[f"{figure}_to_baseline"] = (round(row[figure] / compared[figure], 3) if has_ratio
                                         else None)
        rows.append(row)
    return rows


def verdicts(rows):
    named = {row["name"]: row for row in rows}
    units = {"seconds": ("s", "CPU seconds", "{:.2f}"), "code_bytes": ("B", "code", "{:.0f}")}
    for name, figure, limit, other in TARGETS:
        unit, what, digits = units[figure]
        value = named[name][figure]
        if other:
            ratio = value / max(named[other][figure], 1e-9)
            yield {"row": name, "target": f"{what} ≤ {limit:g}x {other}", "figure": round(ratio, 3),
                   "shown": f"{ratio:.2f}x", "met": ratio <= limit}
        else:
            yield {"row": name, "target": f"≤ {limit:g} {unit}", "figure": value,
                   "shown": f"{digits.format(value)} {unit}", "met": value <= limit}


def first_match(path, pattern):
    found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.M)
    return found[1] if found else "unknown"


def asio_version(command):
    """1.22.1 of 102201, as the compiler finds it."""
    words = [*(word for word in command if word != "-c"), "-include", "asio/version.hpp"]
    macros = subprocess.run([*words, "-E", "-dM"], capture_output=True, text=True, check=True)
    number = int(re.search(r"^#define ASIO_VERSION (\d+)", macros.stdout, re.M)[1])
    return f"{number // 100000}.{number // 100 % 1000}.{number % 100}"


def setting(revision, of_file, load):
    compiler = of_file["asio_headers"][0]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    system = platform.uname()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "revision": revision,
            "cpu": first_match("/proc/cpuinfo", r"^model name\s*: (.*)$"),
            "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 2),
            "kernel": f"{system.system} {system.release} {system.machine}",
            "load_before": round(load, 2), "compiler": version.stdout.splitlines()[0],
            "flags": f"{OPTIMISED} -DNDEBUG", "asio": asio_version(of_file["asio_headers"])}


def show(rows, targets):
    width = max(len(row["name"]) for row in rows)
    print(f"\n{'':{width}} {'CPU s':>8} {'to base':>9} {'MiB':>6} {'code, B':>9} {'to base':>9}")
    for row in rows:
        found = [row[f"{figure}_to_baseline"] for figure in ("seconds", "code_bytes")]
        ratios = ["-" if ratio is None else f"{ratio:.2f}x" for ratio in found]
        seconds = f"{row['seconds']:{'+' if row['adds'] else ''}.3f}"
        print(f"{row['name']:{width}} {seconds:>8} {ratios[0]:>9} {row['memory_mib']:>6} "
              f"{row['code_bytes']:>9} {ratios[1]:>9}")
    print()
    for each in targets:
        print(f"  {'met   ' if each['met'] else 'MISSED'}  {each['row']}: {each['shown']} "
              f"({each['target']})")
    met = sum(each["met"] for each in targets)
    print(f"\ntargets: {met} of {len(targets)} met")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--revision", default="unknown")
    given = parser.parse_args()
    try:
        commands = json.loads(given.commands.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        fail(f"cannot read the compile commands: {why}")
    load = os.getloadavg()[0]
    files, of_file = measured(commands)
    rows = figures(files)
    targets = list(verdicts(rows))
    show(rows, targets)
    if given.json:
        data = {**setting(given.revision, of_file, load), "files": files, "rows": rows,
                "targets": targets}
        given.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n",
                              encoding="utf-8")


if __name__ == "__main__":
    main()
