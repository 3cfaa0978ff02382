#!/usr/bin/env python3
"""Checks made by calling the compiler: what is refused, headers alone, what is not included.

  check.py precompile HEADER DIRECTORY         -- COMPILER FLAGS...
  check.py refuses FILE SENTENCE [DIRECTORY]   -- COMPILER FLAGS...
  check.py headers DIRECTORY [TESTS]           -- COMPILER FLAGS...
  check.py together DIRECTORY                  -- COMPILER FLAGS...
  check.py no-path WORD HEADER                 -- COMPILER FLAGS...

What is precompiled makes `refuses` quicker, and that is all. `headers` compiles each header alone,
but for those whose test in TESTS includes them first; `together` compiles all in one unit.
Exits 0 when the check holds, and says why when it does not.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def run(command):
    """The exit code, and everything the compiler printed."""
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, env=environment, errors="replace")
    return done.returncode, done.stdout


def flat(text):
    return re.sub(r"\s+", " ", text)


def fail(sentence, output=""):
    print(sentence)
    if output:
        print(output)
    return 1


def check_syntax(compiler, file, *flags):
    return run([*compiler, *flags, "-fsyntax-only", str(file)])


def to_object(compiler, file, *flags):
    return run([*compiler, *flags, "-c", str(file), "-o", os.devnull])


def precompile(compiler, header, directory):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    unit = directory / "all.hpp"
    unit.write_text(f"#include <{header}>\n")
    code, output = run([*compiler, "-x", "c++-header", str(unit), "-o", f"{unit}.gch"])
    return fail(f"<{header}> cannot be precompiled", output) if code != 0 else 0


def with_precompiled(compiler, directory):
    unit = pathlib.Path(directory, "all.hpp")
    if not pathlib.Path(f"{unit}.gch").exists():
        return compiler
    return [*compiler, "-include", str(unit)]  # both compilers look for the .gch beside it


def refuses(compiler, file, sentence, directory="nowhere"):
    compiler = with_precompiled(compiler, directory)
    code, output = check_syntax(compiler, file, "-DMSGBUS_CONTROL")
    if code != 0:
        return fail(f"{file}: with MSGBUS_CONTROL defined it does not compile", output)
    code, output = check_syntax(compiler, file)
    if code == 0:  # some mistakes are only seen when code is generated
        code, output = to_object(compiler, file)
    if code == 0:
        return fail(f"{file}: compiles, and must not")
    if code < 0:
        return fail(f"{file}: the compiler died of signal {-code}", output)
    if not re.search(flat(sentence), flat(output)):
        return fail(f"{file}: is refused, but the compiler does not say: {sentence}", output)
    said = set(re.findall(r"error: static assertion failed[^\n]*?(msgbus: [^\n]*)", output))
    # clang goes on where g++ stops, and tells what follows from the mistake as well.
    if len(said) > 1 and "clang" not in os.path.basename(compiler[0]):
        return fail(f"{file}: one mistake is told as {len(said)}: {sorted(said)}", output)
    return 0


def is_tested_alone(directory, header, tests):
    test = pathlib.Path(tests, header.relative_to(directory)).with_suffix(".test.cpp")
    if not test.exists():
        return False
    first = re.search(r"^#include\s+(.*)$", test.read_text(), re.MULTILINE)
    return first is not None and first[1] == f"<{header.relative_to(directory.parent).as_posix()}>"


def headers(compiler, directory, tests="nowhere"):
    directory = pathlib.Path(directory)
    found = sorted(directory.rglob("*.hpp"))
    if not found:
        return fail(f"{directory}: no headers there")
    by_tests = [header for header in found if is_tested_alone(directory, header, tests)]
    found = [header for header in found if header not in by_tests]
    with tempfile.TemporaryDirectory() as scratch:

        def alone(header):
            name = header.relative_to(directory.parent).as_posix()
            unit = pathlib.Path(scratch, name.replace("/", "_") + ".cpp")
            unit.write_text(f"#include <{name}>\n#include <{name}>  // twice is as good as once\n")
            return name, *run([*compiler, "-fsyntax-only", str(unit)])

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(alone, found))
    bad = [(name, output) for name, code, output in results if code != 0]
    for name, output in bad:
        fail(f"<{name}> does not compile alone", output)
    print(f"{len(found) - len(bad)} of {len(found)} headers compile alone; "
          f"{len(by_tests)} are included first by their tests")
    return 1 if bad else 0


def together(compiler, directory):
    directory = pathlib.Path(directory)
    found = sorted(directory.rglob("*.hpp"))
    if not found:
        return fail(f"{directory}: no headers there")
    with tempfile.TemporaryDirectory() as scratch:
        unit = pathlib.Path(scratch, "unit.cpp")
        names = [header.relative_to(directory.parent).as_posix() for header in found]
        unit.write_text("".join(f"#include <{name}>\n" for name in names))
        code, output = run([*compiler, "-fsyntax-only", str(unit)])
    return fail("the headers do not compile together", output) if code != 0 else 0


def no_path(compiler, word, header):
    with tempfile.TemporaryDirectory() as scratch:
        unit = pathlib.Path(scratch, "unit.cpp")
        unit.write_text(f"#include <{header}>\n")
        code, output = run([*compiler, "-M", str(unit)])
    if code != 0:
        return fail(f"<{header}> cannot be preprocessed", output)
    # Only the last parts of a path: the project may lie in a folder with any name.
    parts = [pathlib.Path(*pathlib.Path(path).parts[-3:]) for path in output.split()]
    bad = [str(path) for path in parts if word.lower() in str(path).lower()]
    if bad:
        return fail(f"<{header}> includes: " + " ".join(sorted(set(bad))))
    if not any(str(path).endswith(pathlib.Path(header).name) for path in parts):
        return fail(f"<{header}>: the compiler's list of includes was not understood", output)
    return 0


def main(arguments):
    if "--" not in arguments:
        sys.exit(__doc__)
    split = arguments.index("--")
    (check, *rest), compiler = arguments[:split], arguments[split + 1:]
    checks = {"precompile": precompile, "refuses": refuses, "headers": headers,
              "together": together, "no-path": no_path}
    if check not in checks or not compiler:
        sys.exit(__doc__)
    return checks[check](compiler, *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
