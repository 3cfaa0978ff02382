"""Mistakes that must not compile, each refused for its sentence.

A file alone takes the compiler two runs, and nearly all of their time is the library's headers. So
all files are compiled together first, each in a namespace of its own: once with MSGBUS_CONTROL
defined, and once without. A file passes there only if errors of its own say its sentence. Each
other file is compiled alone: a mistake that is seen only when code is generated, and a failure.
"""

import pathlib
import re
import tempfile

from compiling import check_syntax, each, fail, flat, run, to_object

INCLUDE = re.compile(r"^\s*#\s*include\b.*$", re.MULTILINE)
DIAGNOSTIC = re.compile(r"^\S.*?: (fatal error|error|warning): ")
CONTEXT = re.compile(r"^(In file included from |\S.*: (In|At) |\S.*:\d+:\d+:  +\S)")
TOLD = re.compile(r"error: static assertion failed[^\n]*?(msgbus: [^\n]*)")


def is_clang(compiler):
    return "clang" in run([compiler[0], "--version"])[1]


def judge(file, sentence, code, output, follow_ups):
    """None if the compiler refuses the file for its sentence, else the reason."""
    if code == 0:
        return f"{file}: compiles, and must not"
    if code < 0:
        return f"{file}: the compiler died of signal {-code}"
    if not re.search(flat(sentence), flat(output)):
        return f"{file}: is refused, but the compiler does not say: {sentence}"
    told = set(TOLD.findall(output))
    if len(told) > 1 and not follow_ups:
        return f"{file}: one mistake is told as {len(told)}: {sorted(told)}"
    return None


def refuses(compiler, file, sentence):
    code, output = check_syntax(compiler, file, "-DMSGBUS_CONTROL")
    if code != 0:
        return fail(f"{file}: with MSGBUS_CONTROL defined it does not compile", output)
    code, output = check_syntax(compiler, file)
    if code == 0:  # some mistakes are only seen when code is generated
        code, output = to_object(compiler, file)
    # clang goes on where g++ stops, and tells what follows from the mistake as well.
    reason = judge(file, sentence, code, output, follow_ups=is_clang(compiler))
    return fail(reason, output) if reason else 0


def one_unit(files):
    """A unit of all files, each in a namespace of its own; the headers come first."""
    texts = [pathlib.Path(file).read_text() for file in files]
    lines = list(dict.fromkeys(line.strip() for text in texts for line in INCLUDE.findall(text)))
    for number, file in enumerate(files):
        # g++ shows the line of an error only if it is not that of the diagnostic before.
        lines += ['#pragma message("the next file")',
                  "#pragma GCC diagnostic push", f"namespace file_{number} {{",
                  f'#include "{file}"', "}", "#pragma GCC diagnostic pop"]
    return "\n".join(lines) + "\n"


def diagnostics(output):
    """The compiler's output, cut into errors and warnings: each with its context and its notes."""
    found, context = [], []
    for line in output.splitlines():
        if DIAGNOSTIC.match(line):
            found.append([*context, line])
            context = []
        elif ": note: " in line and found:
            found[-1] += [*context, line]
            context = []
        elif context or CONTEXT.match(line) or not found:
            context.append(line)
        else:
            found[-1].append(line)
    return ["\n".join(lines) + "\n" for lines in found]


def errors_by_file(output, files):
    """What the compiler says of each file; None if one error belongs to no file, or to several.

    An error without a context has that of the one before it.
    """
    owner, said = None, {}
    for text in diagnostics(output):
        owners = [file for file in files if f"{file}:" in text] or [owner]
        if len(owners) != 1:
            owners = [None]
        owner = owners[0]
        if re.search(r"^\S.*?: (fatal )?error: ", text, re.MULTILINE):
            if owner is None:
                return None
            said[owner] = said.get(owner, "") + text
    return said


def refused_together(compiler, cases):
    """The files that are surely refused for their sentence; none unless all controls compile."""
    files = [file for _, file, _ in cases]
    clang = is_clang(compiler)
    every_error = ["-ftemplate-backtrace-limit=0", *(["-ferror-limit=0"] if clang else [])]
    with tempfile.TemporaryDirectory() as scratch:
        unit = pathlib.Path(scratch, "unit.cpp")
        unit.write_text(one_unit(files))

        def compile_all(flags):
            # main() returns nothing where it is a function like others.
            code, output = check_syntax(compiler, unit, *every_error, "-Wno-return-type", *flags)
            return code, errors_by_file(output, files)

        (code, _), (_, said) = each(compile_all, [["-DMSGBUS_CONTROL"], []])
    if code != 0 or said is None:
        return set()
    return {file for _, file, sentence in cases if file in said
            and judge(file, sentence, 1, said[file], follow_ups=clang) is None}


def refuses_all(compiler, list_of_cases):
    lines = pathlib.Path(list_of_cases).read_text().splitlines()
    cases = [tuple(line.split("\t")) for line in lines]
    if not cases:
        return fail(f"{list_of_cases}: no mistakes there")
    together = refused_together(compiler, cases)
    rest = [case for case in cases if case[1] not in together]
    results = each(lambda case: refuses(compiler, case[1], case[2]), rest)
    failed = [name for (name, _, _), result in zip(rest, results) if result != 0]
    for name in failed:
        print(f"not refused as it should be: {name}")
    print(f"{len(cases) - len(failed)} of {len(cases)} mistakes are refused for their sentence; "
          f"{len(together)} were seen together, {len(rest)} alone")
    return 1 if failed else 0
