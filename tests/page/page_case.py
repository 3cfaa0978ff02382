"""What tests of the page have in common."""

import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools" / "site"))

import browser  # noqa: E402
import fake_monitor  # noqa: E402

SHOWN = 'document.documentElement.dataset.shown == "%s"'
NAMES = '[...document.querySelectorAll("#table tbody .title")].map((each) => each.textContent)'


def text(selector):
    return f"document.querySelector({json.dumps(selector)}).textContent"


class Browsing(unittest.TestCase):
    """Each test has a tab of its own. Errors of the page fail every test."""

    @classmethod
    def setUpClass(cls):
        cls.chromium = browser.Chromium()
        cls.chromium.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.chromium.__exit__(None, None, None)

    def setUp(self):
        self.tab = None
        self.expected_troubles = ()

    def tearDown(self):
        if self.tab:
            left = [each for each in self.tab.troubles
                    if not each.startswith(self.expected_troubles or ("nothing",))]
            self.tab.close()
            self.assertEqual(left, [])


    def least_time_to_show(self, wanted, show, most=10):
        """Milliseconds from the begin of a navigation to the first figures. Shows the page until
        it takes less than is wanted, as the machine may be busy with others."""
        times = []
        while len(times) < most and min(times, default=wanted) >= wanted:
            if times:
                self.tab.close()
                self.tab = None
                show()
            times.append(self.tab.value('performance.getEntriesByName("shown")[0].startTime'))
        return min(times)


class Pages(Browsing):
    """Each test has a server of its own, which says what the test wants."""

    def setUp(self):
        super().setUp()
        held = fake_monitor.reserved_port()  # the monitor may end and come back
        self.addCleanup(held.close)
        self.monitor = fake_monitor.Monitor(port=held.getsockname()[1])
        self.monitor.start()
        self.addCleanup(self.monitor.stop)

    def open(self, *documents, **how):
        self.monitor.say(*documents)
        self.tab = self.chromium.open(self.monitor.address, **how)
        if documents:
            self.see(documents[-1])
        return self.tab

    def see(self, document):
        self.tab.wait(SHOWN % json.dumps(document["time"]).removesuffix(".0"))

    def say(self, document):
        self.monitor.say(document)
        self.see(document)
