#!/usr/bin/env python3
"""Checks made by calling the compiler: what is refused, headers alone, what is not included.

  check.py refuses FILE SENTENCE        -- COMPILER FLAGS...
  check.py refuses-all LIST             -- COMPILER FLAGS...
  check.py headers DIRECTORY BASE...    -- COMPILER FLAGS...
  check.py together DIRECTORY           -- COMPILER FLAGS...
  check.py no-path WORD HEADER          -- COMPILER FLAGS...

A line of LIST is a name, a file and a sentence, with tabs between them. `headers` compiles each
header alone (alone.py says how, and what a BASE is); `together` compiles all in one unit.
Exits 0 when the check holds, and says why when it does not.
"""

import pathlib
import sys
import tempfile

from alone import headers
from compiling import fail, run
from refusals import refuses, refuses_all


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
    checks = {"refuses": refuses, "refuses-all": refuses_all, "headers": headers,
              "together": together, "no-path": no_path}
    if check not in checks or not compiler:
        sys.exit(__doc__)
    return checks[check](compiler, *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
