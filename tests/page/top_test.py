#!/usr/bin/env python3
"""msgbus-top in a terminal, against a server that says what a test wants.

  top_test.py PROGRAM VERSION
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True

import fake_monitor  # noqa: E402
import scenario  # noqa: E402

PROGRAM, VERSION = sys.argv[1:3]
SECONDS = 20  # within which a terminal shows what is waited for
PAUSE = 0.05  # between two looks at a terminal that has no events


def run(*arguments, **more):
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    environment.pop("MSGBUS_TOKEN", None)
    environment.update(more)
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env=environment)


class Case(unittest.TestCase):
    def setUp(self):
        held = fake_monitor.reserved_port()  # the monitor may end and come back
        self.addCleanup(held.close)
        self.monitor = fake_monitor.Monitor(port=held.getsockname()[1])
        self.monitor.start()
        self.addCleanup(self.monitor.stop)
        self.monitor.say(scenario.shop(310, stuck=True))
        self.address = self.monitor.address


class once(Case):
    def test_prints_the_table_by_trouble_and_ends(self):
        done = run(self.address, "--once")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("shop: 7 components, 2 in trouble; a second "))
        self.assertIn("! thread_pool 1 has not answered for 14s: handler of charge of billing",
                      lines)
        table = lines[[line.split()[0] for line in lines].index("COMPONENT"):]
        self.assertEqual([line.split("  ")[0] for line in table[1:3]], ["billing", "metrics sink"])
        self.assertEqual(len(table), 8)
        self.assertIn("bank: connection refused", table[1])

    def test_a_pipe_is_served_as_once(self):
        self.assertEqual(run(self.address).stdout, run(self.address, "--once").stdout)

    def test_sorts_and_filters(self):
        done = run(self.address, "--once", "--sort", "name", "--filter", "IO_CONTEXT 1")
        names = [line.split()[0] for line in done.stdout.splitlines() if "io_context" in line]
        self.assertEqual(names, ["gateway", "orders", "stock"])

    def test_a_token_comes_from_the_option_or_the_environment(self):
        self.monitor.token = "secret"
        self.assertEqual(run(self.address, "--once", "--token", "secret").returncode, 0)
        self.assertEqual(run(self.address, "--once", MSGBUS_TOKEN="secret").returncode, 0)
        for token, words in ((None, "needs a token"), ("other", "refused the token")):
            done = run(self.address, "--once", *(("--token", token) if token else ()))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(words, done.stderr)
        self.assertNotEqual(run(self.address, "--token", "a\r\nb").returncode, 0)

    def test_failures_are_sentences(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            done = run(str(port))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"http://127.0.0.1:{port}/: no program answers there", done.stderr)
        done = run(self.address + "elsewhere", "--once")
        self.assertIn("it answers 404, so it is no monitor", done.stderr)
        for text in (b"<html>", b"{}", b'{"version": 2}'):
            self.monitor.text = text
            done = run(self.address, "--once")
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertIn("msgbus-top: http", done.stderr)
        self.assertIn("tunnel", run("https://here").stderr)
        self.assertNotEqual(run().returncode, 0)
        self.assertNotEqual(run(self.address, "--sort", "beauty").returncode, 0)

    def test_has_the_version_of_the_library(self):
        self.assertEqual(run("--version").stdout.strip(), VERSION)


class in_a_terminal(Case):
    """In a tmux of its own."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.socket = str(pathlib.Path(folder.name) / "tmux")

    def tmux(self, *arguments):
        return subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", self.socket, *arguments], check=True, text=True,
            capture_output=True, timeout=SECONDS, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout

    def begin(self, width=160, height=30):
        command = f"'{PROGRAM}' {self.address} --period 0.1; echo ended $?; cat"
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), command)
        self.addCleanup(self.tmux, "kill-server")

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self):
        return self.tmux("capture-pane", "-p").splitlines()

    def see(self, condition):
        """The lines of the screen once the condition holds of them."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            lines = self.screen()
            if condition(lines):
                return lines
            time.sleep(PAUSE)
        self.fail("the terminal shows:\n" + "\n".join(self.screen()))

    def names(self, lines):
        at = next((i for i, line in enumerate(lines) if line.startswith("COMPONENT")), None)
        if at is None:
            return []
        return [line.split("  ")[0] for line in lines[at + 1:-1] if line.strip()]

    def see_names(self, *wanted):
        return self.see(lambda lines: self.names(lines)[:len(wanted)] == list(wanted))

    def test_keys_sort_turn_and_filter(self):
        self.begin()
        self.see_names("billing", "metrics sink", "gateway")
        self.press("n")
        self.see_names("audit", "billing", "gateway")
        self.press("r")
        self.see_names("stock", "orders", "metrics sink")
        self.press("o")
        self.see_names("billing", "audit", "stock")
        self.press("t")
        self.press("/")
        self.press("pool", "Enter")
        lines = self.see(lambda lines: "1 of 7 match 'pool'" in lines[-1])
        self.assertEqual(self.names(lines), ["billing"])
        self.press("Escape")
        self.see_names("billing", "metrics sink", "gateway")
        self.press("?")
        self.see(lambda lines: "types a filter" in "\n".join(lines))
        self.press("x")
        self.see_names("billing")
        self.press("q")
        self.see(lambda lines: "ended 0" in "\n".join(lines))

    def test_follows_the_program_and_its_restart(self):
        self.begin()
        self.see_names("billing")
        self.monitor.stop()
        lines = self.see(lambda lines: "connection lost" in lines[1])
        self.assertIn("trying again", lines[1])
        self.assertIn("billing", self.names(lines))
        self.monitor.start()
        self.monitor.say(scenario.status([scenario.component("alone")]))
        self.see(lambda lines: self.names(lines) == ["alone"])
        self.press(" ")
        self.see(lambda lines: "[paused]" in lines[0])
        self.press("q")
        self.see(lambda lines: "ended 0" in "\n".join(lines))

    def test_lives_in_small_terminals_and_with_many_components(self):
        self.monitor.say(scenario.status([scenario.component(f"part{i:03}") for i in range(300)]))
        self.begin(60, 12)
        lines = self.see_names("part000", "part001")
        self.assertTrue(all(len(line) <= 60 for line in lines))
        self.press("End")
        self.see(lambda lines: "part299" in self.names(lines))
        self.press("Home")
        self.press("NPage")
        self.see(lambda lines: self.names(lines) and "part000" not in self.names(lines))
        for size in (("20", "5"), ("1", "1"), ("200", "50")):
            self.tmux("resize-window", "-x", size[0], "-y", size[1])
        self.see(lambda lines: len(self.names(lines)) > 40)
        self.press("q")
        self.see(lambda lines: "ended 0" in "\n".join(lines))

    def test_names_do_not_command_the_terminal(self):
        self.monitor.say(scenario.status([scenario.component("a\x1b[2J\x07\nb\u202e")]))
        self.begin()
        self.see(lambda lines: self.names(lines) == ["a\ufffd[2J\ufffd\ufffdb\ufffd"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
