"""Each header compiles alone: it includes what it uses.

A header alone costs mostly the parsing of Asio and of the standard library. It is proved as well by
a unit in which all that comes before its own code is included by the header itself, directly or
not. Two things are built on that:

- If one header includes another one, both are proved by one unit that includes the lower one first.
  So the headers are sorted into chains, and a chain is one unit.
- A base is a header from outside that many of them include. It is precompiled for those that do.

It holds as long as the includes of a header come before its code, which is checked too. An
include that depends on a condition counts as none.
"""

import pathlib
import re
import tempfile

from compiling import each, fail, run

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
DIRECTIVE = re.compile(r"\s*#\s*(\w+)\s*(?:<([^>]+)>)?")


class header_file:
    def __init__(self, path):
        self.includes, self.late_include = [], False
        depth, code = 0, False
        for line in COMMENT.sub("", path.read_text()).splitlines():
            directive = DIRECTIVE.match(line)
            if not directive:
                code = code or line.strip() != ""
                continue
            word, included = directive.groups()
            depth += word in ("if", "ifdef", "ifndef")
            depth -= word == "endif"
            if word == "include":
                self.late_include = self.late_include or code
                if depth == 0 and included:
                    self.includes.append(included)


def closures(headers):
    """For each header all that it includes, directly or not."""
    found = {}

    def closure(name):
        if name not in found:
            found[name] = set()
            for included in headers[name].includes:
                found[name].add(included)
                if included in headers:
                    found[name] |= closure(included)
        return found[name]

    for name in headers:
        closure(name)
    return found


def chains(names, closure):
    """Each name once, in chains in which each header includes the one before it."""
    made = []
    for name in sorted(names, key=lambda name: (-len(closure[name]), name)):
        fitting = [chain for chain in made if name in closure[chain[0]]]
        if fitting:
            min(fitting, key=lambda chain: len(closure[chain[0]])).insert(0, name)
        else:
            made.append([name])
    return made


def write_unit(path, names):
    path.write_text("".join(f"#include <{name}>\n" for name in names))
    return str(path)


def with_base(compiler, base, scratch):
    """The compiler that begins every unit with this header from outside."""
    unit = write_unit(pathlib.Path(scratch, base.replace("/", "_") + ".base.hpp"), [base])
    code, output = run([*compiler, "-x", "c++-header", unit, "-o", f"{unit}.gch"])
    if code != 0:
        raise SystemExit(fail(f"<{base}> cannot be precompiled", output))
    return [*compiler, "-include", unit]


def headers(compiler, directory, *bases):
    directory = pathlib.Path(directory)
    found = {path.relative_to(directory.parent).as_posix(): header_file(path)
             for path in sorted(directory.rglob("*.hpp"))}
    if not found:
        return fail(f"{directory}: no headers there")
    bad = [name for name, header in found.items() if header.late_include]
    for name in bad:
        fail(f"<{name}> has code before an #include")
    closure = closures(found)
    group_of = {name: next((base for base in bases if base in closure[name]), None)
                for name in found}
    groups = {base: [name for name in found if group_of[name] == base]
              for base in dict.fromkeys(group_of.values())}
    with tempfile.TemporaryDirectory() as scratch:

        def compile_unit(unit_compiler, names):
            unit = pathlib.Path(scratch, names[-1].replace("/", "_") + ".cpp")
            twice = [name for name in names for _ in range(2)]  # twice is as good as once
            return run([*unit_compiler, "-fsyntax-only", write_unit(unit, twice)])

        def compile_chain(work):
            unit_compiler, names = work
            code, output = compile_unit(unit_compiler, names)
            if code == 0:
                return []
            failed = [(name, *compile_unit(compiler, [name])) for name in names]
            failed = [(name, output) for name, code, output in failed if code != 0]
            return failed or [(names[-1], output)]

        def compiler_with(base):
            return with_base(compiler, base, scratch) if base else compiler

        work = [(with_it, chain)
                for with_it, names in zip(each(compiler_with, groups), groups.values())
                for chain in chains(names, closure)]
        for name, output in sum(each(compile_chain, work), []):
            fail(f"<{name}> does not compile alone", output)
            bad.append(name)
    print(f"{len(found) - len(set(bad))} of {len(found)} headers compile alone, "
          f"in {len(work)} units")
    return 1 if bad else 0
