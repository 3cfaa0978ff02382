#!/usr/bin/env python3
"""The page of the monitor in a headless Chromium, against a server that says what a test wants."""

import json
import sys
import unittest

sys.dont_write_bytecode = True

import scenario  # noqa: E402
from page_case import NAMES, Pages, text  # noqa: E402

MARKUP = '<img src=x onerror="document.title=1"></script><b>&amp;\u2028'


class what_it_shows(Pages):
    def test_the_page_shows_the_first_figures_within_a_second(self):
        def show():
            self.open(scenario.shop(250))
        show()
        self.assertLess(self.least_time_to_show(1000, show), 1000)

    def test_components_in_most_trouble_come_first(self):
        tab = self.open(scenario.shop(310, stuck=True))
        names = tab.value(NAMES)
        self.assertEqual(names[:2], ["billing", "metrics sink"])
        self.assertEqual(sorted(names), ["audit", "billing", "gateway", "mail", "metrics sink",
                                         "orders", "stock"])
        self.assertIn("stuck", tab.value(text("#table tbody tr .second")))

    def test_every_column_of_a_component_is_there(self):
        row = scenario.component(
            "billing", executor="thread_pool 1", capacity=64, waiting=59, oldest=12.1, in_flight=2,
            limit=4, rates={"offered": 6, "handled": 4, "failed": 1.5, "dropped": 2, "retries": 3},
            totals={"retries": 25}, wait=scenario.quantiles(0.8, 10),
            handle=scenario.quantiles(0.04, 1.9), breakers=[{"name": "bank", "state": "open"}],
            dead_letters=7, blocked_senders=5,
            last_error=scenario.failure(1, scenario.SINCE + 380, "billing", "charge", "no money"))
        tab = self.open(scenario.status([row]))
        cells = tab.value('Object.fromEntries([...document.querySelectorAll("#table tbody td")]'
                          ".map((cell) => [cell.className.split(' ')[0], "
                          '[...cell.querySelectorAll("span")].map((each) => each.textContent)'
                          '.join(" ").trim()]))')
        wanted = {
            "executor": "thread_pool 1", "waiting": "59 of 64", "oldest": "12 s", "blocked": "5",
            "flight": "2 of 4", "offered": "6.0", "handled": "4.0", "failed": "1.5",
            "dropped": "2.0", "wait": "800 ms ≥10 s", "handle": "40 ms 1.9 s",
            "retries": "3.0/s 25", "breaker": "open bank", "letters": "7",
            "error": "no money 20 s ago", "line": ""}
        self.assertEqual(cells, wanted)
        self.assertIn("consumer", tab.value(text("#table tbody .second")))

    def test_a_burst_is_followed(self):
        time = scenario.SINCE + 400

        def document(second, handled):
            return scenario.status([scenario.component("orders", rates={"handled": handled})],
                                   time=time + second)
        tab = self.open(*(document(second, 10) for second in range(10)))
        line = 'document.querySelector("#table .line path.line.handled").getAttribute("d")'
        before = tab.value(line)
        self.say(document(10, 25_000))
        self.assertEqual(tab.value(text("#table td.handled span")), "25,000")
        self.assertEqual(tab.value(text(".tile dd")), "25,000/s")
        self.assertNotEqual(tab.value(line), before)
        self.say(document(11, 0))
        self.assertEqual(tab.value(text("#table td.handled span")), "0")

    def test_a_stuck_handler_is_told_with_its_name_and_its_executor(self):
        tab = self.open(scenario.shop(310))
        self.assertTrue(tab.value('document.querySelector("#stalled").hidden'))
        self.say(scenario.shop(311, stuck=True))
        told = tab.value(text("#stalled"))
        self.assertIn("thread_pool 1 has not answered", told)
        self.assertIn("handler of charge of billing, 8 calls", told)
        self.assertEqual(tab.value('document.querySelector("#stalled").getAttribute("role")'),
                         "alert")
        self.assertIn("no answer for 14 s", tab.value(text("#executors .bad")))
        self.say(scenario.shop(312))
        self.assertTrue(tab.value('document.querySelector("#stalled").hidden'))

    def test_failures_name_their_messages(self):
        tab = self.open(scenario.shop(310))
        self.assertEqual(tab.value('document.querySelectorAll("#failures tr").length'), 40)
        told = tab.value(text("#failures tr"))
        for word in ("billing", "charge", "bank: connection refused"):
            self.assertIn(word, told)

    def test_markup_in_any_text_stays_text(self):
        last = scenario.failure(1, scenario.SINCE + 399, MARKUP, MARKUP, MARKUP, MARKUP)
        row = scenario.component(
            MARKUP, executor=MARKUP, last_error=last, breakers=[{"name": MARKUP, "state": "open"}],
            handlers=[scenario.handler(MARKUP, MARKUP, 3, 0.1)])
        document = scenario.status(
            [row], senders=[(MARKUP + "2", "producer")], title=MARKUP, failures=[last],
            edges=[scenario.edge(MARKUP + "2", MARKUP, [MARKUP], offered_rate=1)],
            letters=[scenario.letter("1-1", scenario.SINCE, MARKUP, MARKUP, MARKUP)],
            warnings=[scenario.warning("unrouted", MARKUP, MARKUP, scenario.SINCE)],
            links=[{"bridge": MARKUP, "name": MARKUP, "totals": {MARKUP: 1}, "now": {}}],
            stalled=[{"executor": MARKUP, "since": scenario.SINCE, "seconds": 3, "components":
                      [MARKUP], "running": [{"component": MARKUP, "message": MARKUP, "handler":
                                             MARKUP, "count": 1, "seconds": 3}]}])
        tab = self.open(document)
        tab.click("button.name")
        tab.wait('document.querySelector(".details")')
        self.assertEqual(tab.value('document.querySelectorAll("img[src=x], body b, body script")'
                                   ".length"), 0)
        self.assertTrue(tab.value("document.title.startsWith('▲ <img src=x')"))
        self.assertEqual(tab.value(text("#table .title")), MARKUP)

    def test_what_is_called_the_same_is_shown_each(self):
        link = {"bridge": "nats", "name": "orders.>", "totals": {}, "now": {}}
        told = scenario.warning("unrouted", "a", "text", scenario.SINCE)
        tab = self.open(scenario.status(links=[link, link, link], warnings=[told, told]))
        self.say(scenario.status(links=[link, link], warnings=[told, told],
                                 time=scenario.SINCE + 401))
        for which in ("links", "warnings"):
            self.assertEqual(tab.value(f'document.querySelectorAll("#{which} li").length'), 2)

    def test_a_program_without_components_says_so(self):
        tab = self.open(scenario.status())
        self.assertIn("no components", tab.value(text("#found")))
        self.assertEqual(tab.value(text("#graph-summary")), "Nothing is there to draw.")

    def test_a_thousand_components_are_shown_in_parts(self):
        rows = [scenario.component(f"part {i}", rates={"failed": int(i == 777)})
                for i in range(1000)]
        edges = [scenario.edge(f"part {i}", f"part {i * 3 + 1}") for i in range(333)]
        tab = self.open(scenario.status(rows, edges=edges))
        names = tab.value(NAMES)
        self.assertEqual((len(names), names[0]), (200, "part 777"))
        self.assertIn("drawn are the 120", tab.value(text("#graph-summary")))
        tab.click("#more")
        self.assertEqual(len(tab.value(NAMES)), 1000)
        for second in (401, 402):
            self.say(scenario.status(rows, edges=edges, time=scenario.SINCE + second))


class troubles(Pages):
    def test_each_trouble_weighs_as_in_msgbus_top(self):
        # The same changes and weights are in tests/top/status.test.cpp.
        time = scenario.SINCE + 1000
        cases = [
            ({}, 0, "good"),
            ({"breakers": [{"name": "", "state": "open"}]}, 200, "bad"),
            ({"breakers": [{"name": "", "state": "isolated"}]}, 200, "bad"),
            ({"breakers": [{"name": "", "state": "half_open"}]}, 50, "warn"),
            ({"rates": {"failed": 1, "handled": 2}}, 130, "bad"),
            ({"rates": {"dropped": 1}}, 100, "bad"), ({"rates": {"rejected": 1}}, 100, "bad"),
            ({"rates": {"abandoned": 1}}, 100, "bad"), ({"rates": {"unrouted": 1}}, 40, "warn"),
            ({"waiting": 79}, 0, "good"), ({"waiting": 80}, 80, "warn"),
            ({"blocked_senders": 1}, 60, "warn"), ({"dead_letters": 3}, 10, "good"),
            ({"oldest": 5}, 2, "good"), ({"oldest": 100_000}, 9, "good"),
            ({"last_error": {"time": time - 59, "text": ""}}, 20, "good"),
            ({"last_error": {"time": time - 60, "text": ""}}, 0, "good")]
        document = scenario.status(
            [scenario.component("a", **{"capacity": 100, **change}) for change, _, _ in cases],
            time=time)
        tab = self.open(scenario.shop(1))
        weighed = tab.value("""import("./model.js").then(({Model}) => {
          const model = new Model();
          model.take(%s);
          return model.rows.map((row) => [row.trouble, row.level]);
        })""" % json.dumps(document))
        self.assertEqual(weighed, [[weight, level] for _, weight, level in cases])


class the_graph(Pages):
    def edges(self):
        return self.tab.value(
            '[...document.querySelectorAll("#graph .edge")].map((each) => each.classList.value)')

    def test_edges_show_traffic_failures_and_what_nobody_receives(self):
        rows = [scenario.component(name) for name in ("quiet", "busy", "shaky", "broken", "deaf")]
        edges = [
            scenario.edge("all", "quiet"), scenario.edge("all", "busy", offered_rate=5),
            scenario.edge("all", "shaky", offered_rate=100, failed_rate=1),
            scenario.edge("all", "broken", offered_rate=10, failed_rate=5),
            scenario.edge("all", "deaf", offered_rate=3, received=False),
            scenario.edge("alone", "")]
        tab = self.open(scenario.status(rows, edges=edges,
                                        senders=[("all", "producer"), ("alone", "producer")]))
        self.assertEqual(self.edges(), ["edge idle", "edge busy", "edge warn", "edge bad",
                                        "edge busy unheard", "edge idle unheard"])
        self.assertEqual(tab.value('getComputedStyle(document.querySelector(".unheard .way"))'
                                   ".strokeDasharray"), "5px, 4px")
        width = ('parseFloat(getComputedStyle(document.querySelectorAll(".edge .way")[%d])'
                 ".strokeWidth)")
        self.assertGreater(tab.value(width % 2), tab.value(width % 1))
        lines = tab.value('[...document.querySelectorAll("#graph-text li")]'
                          ".map((each) => each.textContent)")
        self.assertIn("all to shaky: 100 messages a second, 1.0 fail", lines)
        self.assertIn("all to deaf: 3.0 messages a second, nobody receives them", lines)
        self.assertIn("alone is bound to nothing", lines)

    def test_boxes_do_not_overlap_and_messages_go_from_left_to_right(self):
        tab = self.open(scenario.shop(310))
        boxes = tab.value(
            'Object.fromEntries([...document.querySelectorAll("#graph .box")].map((each) => '
            '[each.querySelector(".title").textContent, each.getCTM()].map((at, i) => '
            "i ? [at.e, at.f] : at)))")
        self.assertEqual(len(boxes), 12)
        self.assertLess(boxes["sales"][0], boxes["orders"][0])
        self.assertLess(boxes["charges"][0], boxes["billing"][0])
        places = list(boxes.values())
        for i, a in enumerate(places):
            for b in places[:i]:
                self.assertTrue(abs(a[0] - b[0]) >= 134 or abs(a[1] - b[1]) >= 46, (a, b))

    def test_a_circle_of_components_is_drawn(self):
        rows = [scenario.component(name) for name in "abc"]
        edges = [scenario.edge("a", "b"), scenario.edge("b", "c"), scenario.edge("c", "a"),
                 scenario.edge("b", "b")]
        self.open(scenario.status(rows, edges=edges))
        self.assertEqual(len(self.edges()), 4)

    def test_a_box_leads_to_its_row(self):
        tab = self.open(scenario.shop(310))
        tab.click("#graph .box.bad .shape")
        self.assertEqual(tab.wait('document.activeElement.querySelector(".title").textContent'),
                         "billing")
        self.assertTrue(tab.value('!!document.querySelector("#table .details")'))


class the_connection(Pages):
    def test_the_page_survives_the_restart_of_the_server(self):
        self.expected_troubles = ("Failed to load resource: net::ERR_",)
        tab = self.open(scenario.shop(250))
        self.monitor.stop()
        tab.wait('document.documentElement.dataset.state === "lost"')
        self.assertIn("does not answer", tab.value(text("#notice")))
        self.assertIn("Connection lost", tab.value(text("#state")))
        self.assertEqual(len(tab.value(NAMES)), 7)
        self.monitor.start()
        later = {**scenario.shop(252), "since": scenario.SINCE + 251}
        self.say(later)
        self.assertEqual(tab.value(text("#state")), "Live")
        self.assertIn("Connected again", tab.value(text("#spoken")))
        tab.wait(text("#notice") + '.includes("started anew")')

    def test_a_server_that_is_silent_counts_as_lost(self):
        self.open({**scenario.shop(250), "interval": 0.1})
        self.tab.wait('document.documentElement.dataset.state === "lost"', 15)
        self.say(scenario.shop(251))
        self.assertEqual(self.tab.value(text("#state")), "Live")

    def test_documents_that_are_no_documents_end_only_the_connection(self):
        tab = self.open(scenario.shop(250))
        with self.monitor.changed:
            self.monitor.sent += [b"{oops"]
            self.monitor.changed.notify_all()
        tab.wait('document.documentElement.dataset.state === "lost"')
        self.monitor.sent.clear()
        self.say(scenario.shop(251))

    def test_a_token_is_asked_for_and_sent(self):
        self.expected_troubles = ("Failed to load resource: the server responded with a status of "
                                  "401",)
        self.monitor.token = "secret"
        self.monitor.say(scenario.shop(250))
        tab = self.open()
        tab.wait('document.activeElement.id === "token"')
        tab.write("wrong")
        tab.press("Enter")
        tab.wait(text("#token-said") + '.includes("refused")')
        tab.value('document.querySelector("#token").select()')
        tab.write("secret")
        tab.press("Enter")
        self.see(scenario.shop(250))
        self.assertTrue(tab.value('document.querySelector("#token-form").hidden'))
        tab.send("Page.reload")
        self.see(scenario.shop(250))  # it is remembered

    def test_a_token_may_come_with_the_address_and_goes_from_it(self):
        self.monitor.token = "se/cret"
        self.monitor.say(scenario.shop(250))
        self.tab = self.chromium.open(self.monitor.address + "#token=se%2Fcret")
        self.see(scenario.shop(250))
        self.assertEqual(self.tab.value("location.href"), self.monitor.address)

    def test_the_reason_of_a_server_that_refuses_is_told(self):
        self.expected_troubles = ("Failed to load resource: the server responded with a status of "
                                  "503",)
        self.monitor.code = 503
        tab = self.open()
        tab.wait(text("#notice") + '.includes("too many streams")')
        self.monitor.code = 200
        self.say(scenario.shop(250))

    def test_pause_keeps_the_figures_and_continue_shows_the_newest(self):
        tab = self.open(scenario.shop(250))
        tab.click("#pause")
        self.monitor.say(scenario.shop(251), scenario.shop(252))
        tab.wait('document.querySelector("#state").textContent === "Paused"')
        self.assertIn(str(int(scenario.SINCE) + 250), tab.value(
            "document.documentElement.dataset.shown"))
        tab.click("#pause")
        self.see(scenario.shop(252))


class dead_letters(Pages):
    def test_without_leave_there_are_no_buttons(self):
        tab = self.open({**scenario.shop(310), "allow_actions": False})
        self.assertEqual(tab.value('document.querySelectorAll("#letters li").length'), 4)
        self.assertEqual(tab.value('[...document.querySelectorAll("#letters button:not(.to)")]'
                                   ".filter((each) => each.checkVisibility()).length"), 0)

    def test_replay_and_discard_are_sent_to_the_server(self):
        tab = self.open(scenario.shop(310))
        first, second = ("#letters li:nth-child(%d) .actions button:nth-child(%d)" % at
                         for at in ((1, 1), (2, 2)))
        tab.click(first)
        tab.wait(text("#letters-said") + '=== "Replayed."')
        tab.click(second)
        self.assertEqual(tab.value(text(second)), "Really discard?")
        self.assertEqual(self.monitor.posted, [("/dead-letters/replay", {"ids": ["1-9"]})])
        tab.click(second)
        tab.wait(text("#letters-said") + '=== "Discarded."')
        self.assertEqual(self.monitor.posted[1:], [("/dead-letters/discard", {"ids": ["1-8"]})])

    def test_a_refusal_is_told(self):
        self.expected_troubles = ("Failed to load resource: the server responded with a status of "
                                  "409",)
        self.monitor.answer = (409, b'{"error": "it is being replayed"}')
        tab = self.open(scenario.shop(310))
        tab.click("#letters .actions button")
        tab.wait(text("#letters-said") + '=== "Not done: it is being replayed"')


if __name__ == "__main__":
    unittest.main()
