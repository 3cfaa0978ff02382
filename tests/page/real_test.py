#!/usr/bin/env python3
"""The page in a headless Chromium, against the monitor of a real program.

  real_test.py PROGRAM [MSGBUS_TOP]
"""

import json
import subprocess
import sys
import unittest
import urllib.request

import fake_monitor
from page_case import NAMES, Browsing, text

PROGRAM = sys.argv[1]
TOP = (sys.argv[2:] or [None])[0] or None


class Program:
    """The program with its monitor on a port that stays the same."""

    def __init__(self, port):
        self.port = port
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, str(self.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def do(self, *words):
        for word in words:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "done\n", word


class a_real_program(Browsing):
    def setUp(self):
        super().setUp()
        held = fake_monitor.reserved_port()  # the program may end and come back
        self.addCleanup(held.close)
        self.program = Program(held.getsockname()[1])
        self.addCleanup(self.program.kill)
        self.show()

    def show(self):
        self.tab = self.chromium.open(self.program.address)
        self.tab.wait(NAMES + ".length === 2", 20)

    def row(self, name):
        return ('[...document.querySelectorAll("#table tbody tr")].find((each) => '
                f'each.querySelector(".title")?.textContent === {json.dumps(name)})')

    def test_a_burst_is_followed(self):
        self.assertEqual(self.tab.value("document.title"), "till – msgbus")
        self.assertLess(self.least_time_to_show(5000, self.show), 5000)
        self.program.do("burst")
        # The rate is that of one interval: what lasts is the line of the last minutes.
        self.tab.wait(self.row("orders") + '.querySelector("path.handled").getAttribute("d")'
                      '.match(/ (?!25\\.0)[0-9.]+/)', 20)
        self.tab.click("button.name")
        self.tab.wait(text("#table .details") + '.includes("handled200")', 20)

    def test_a_stuck_handler_is_told_and_its_end(self):
        self.program.do("stick")
        self.tab.wait('!document.querySelector("#stalled").hidden && '
                      + text("#stalled") + '.includes("handler of")', 20)
        self.assertIn("billing", self.tab.value(text("#stalled")))
        self.assertEqual(self.tab.value(NAMES)[0], "billing")
        self.program.do("release")
        self.tab.wait('document.querySelector("#stalled").hidden', 20)

    def test_a_failure_is_shown_and_its_letter_replayed(self):
        self.program.do("fail")
        self.tab.wait('document.querySelectorAll("#failures tr").length === 1', 20)
        self.assertIn("no money for <b>7", self.tab.value(text("#failures tr")))
        self.program.do("repair")
        self.tab.click("#letters .actions button")
        self.tab.wait(text("#letters-count") + '.startsWith("0 kept, 1 replayed")', 20)

    def test_the_page_survives_the_death_of_the_program(self):
        self.expected_troubles = ("Failed to load resource: net::ERR_",)
        self.program.kill()
        self.tab.wait('document.documentElement.dataset.state === "lost"', 20)
        self.program.start()
        self.tab.wait('document.documentElement.dataset.state === "live"', 20)
        self.tab.wait(text("#notice") + '.includes("started anew")', 20)

    def test_every_address_that_the_page_names_answers(self):
        links = self.tab.value('[...document.querySelectorAll("footer a, head link")]'
                               ".map((each) => each.href)")
        self.assertGreater(len(links), 4)
        for link in links:
            with urllib.request.urlopen(link, timeout=20) as answer:
                self.assertEqual(answer.status, 200)

    @unittest.skipIf(TOP is None, "msgbus-top was not built")
    def test_msgbus_top_reads_the_same(self):
        self.program.do("fail")
        self.tab.wait('document.querySelectorAll("#failures tr").length === 1', 20)
        done = subprocess.run([TOP, self.program.address, "--once"], capture_output=True,
                              text=True, timeout=60, check=True)
        self.assertIn("till: 2 components", done.stdout)
        self.assertIn("no money for <b>7", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
