"""Calling the compiler, and saying that a check has failed. Used by the other checks here."""

import concurrent.futures
import os
import re
import subprocess


def run(command):
    """The exit code, and everything the compiler printed."""
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, env=environment, errors="replace")
    return done.returncode, done.stdout


def check_syntax(compiler, file, *flags):
    return run([*compiler, *flags, "-fsyntax-only", str(file)])


def to_object(compiler, file, *flags):
    return run([*compiler, *flags, "-c", str(file), "-o", os.devnull])


def each(function, items):
    """The results, in order; as many calls at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def flat(text):
    return re.sub(r"\s+", " ", text)


def fail(sentence, output=""):
    print(sentence)
    if output:
        print(output)
    return 1
