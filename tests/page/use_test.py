#!/usr/bin/env python3
"""The page of the monitor in the hands of people: keys, screen readers, small screens, colours."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True

import scenario  # noqa: E402
from page_case import NAMES, Pages, text  # noqa: E402

CONTRASTS = pathlib.Path(__file__).with_name("contrasts.js").read_text(encoding="utf-8")
WIDTH = "document.documentElement.scrollWidth"
# What is wider than the screen, and not in a box that scrolls by itself.
WIDER = """[...document.querySelectorAll("main *")].filter((each) =>
  each.checkVisibility() && !each.closest(".spoken, .graph, .inner") &&
  each.getBoundingClientRect().right > innerWidth + 0.5).map((each) => each.outerHTML)"""
FOCUS = 'document.activeElement.textContent.replace(/[▲▼]/g, "").trim()'


class by_keyboard(Pages):
    def focus(self, wanted, most=60):
        for _ in range(most):
            self.tab.press("Tab")
            if self.tab.value(FOCUS) == wanted:
                return
        self.fail(f"{wanted} is not reached")

    def test_columns_are_sorted_and_say_so(self):
        tab = self.open(scenario.shop(250))
        self.focus("Waiting")
        header = ('(document.querySelector("#table thead button:focus").parentElement'
                  '.getAttribute("aria-sort"))')
        for wanted, first in (("descending", "billing"), ("ascending", "mail")):
            tab.press("Enter")
            self.assertEqual(tab.value(header), wanted)
            self.assertEqual(tab.value(NAMES)[0], first)
        tab.press("Enter")
        self.assertIsNone(tab.value(header))
        self.assertEqual(tab.value('document.querySelector("#order").value'), "trouble")
        self.say(scenario.shop(251))
        self.assertEqual(tab.value(FOCUS), "Waiting")

    def test_rows_are_reached_and_opened(self):
        tab = self.open(scenario.shop(310))
        self.focus("◆billing")
        tab.press("ArrowDown")
        tab.press("ArrowDown")
        tab.press("ArrowUp")
        self.assertEqual(tab.value(FOCUS), "metrics sink")
        tab.press("ArrowUp")
        tab.press("Enter")
        self.assertEqual(tab.value('document.activeElement.getAttribute("aria-expanded")'), "true")
        told = tab.value(text("#table .details"))
        for word in ("handler of charge", "executor thread_pool 1", "Waiting messages", "overran"):
            self.assertIn(word.replace("executor ", ""), told)
        tab.press("Enter")
        self.assertIsNone(tab.value('document.querySelector("#table .details")'))

    def test_the_focus_stays_on_a_row_that_moves(self):
        def document(second, failing):
            return scenario.status([scenario.component(name, rates={"failed": int(name == failing)})
                                    for name in ("a", "b", "c")], time=scenario.SINCE + second)
        tab = self.open(document(1, "a"))
        tab.value('document.querySelectorAll("button.name")[2].focus()')
        self.say(document(2, "c"))
        self.assertEqual(tab.value(NAMES), ["c", "a", "b"])
        self.assertIn("c", tab.value(FOCUS))

    def test_a_filter_is_typed(self):
        tab = self.open(scenario.shop(310))
        tab.press("/")
        tab.write("thread_pool")
        tab.wait('%s.length === 1' % NAMES)
        self.assertIn("1 of 7", tab.value(text("#found")))
        tab.press("Escape")
        tab.wait('%s.length === 7' % NAMES)

    def test_a_focus_is_seen(self):
        tab = self.open(scenario.shop(310))
        for _ in range(40):
            tab.press("Tab")
            seen = tab.value("""((node) => {
              const marked = (each) => each && (getComputedStyle(each).outlineStyle !== "none"
                || parseFloat(getComputedStyle(each).strokeWidth) > 2);
              return marked(node) || marked(node.nextElementSibling)
                || marked(node.querySelector?.(".shape"));
            })(document.activeElement)""")
            self.assertTrue(seen, tab.value("document.activeElement.outerHTML"))


class for_screen_readers(Pages):
    def test_every_control_has_a_name(self):
        tab = self.open(scenario.shop(310))
        nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
        roles = [each["role"]["value"] for each in nodes if not each["ignored"]]
        for role in ("table", "columnheader", "rowheader", "search", "searchbox", "combobox",
                     "radio", "heading", "banner", "main"):
            if role != "search":
                self.assertIn(role, roles)
        wanted = ("button", "link", "searchbox", "combobox", "radio", "region", "table")
        nameless = [each for each in nodes if not each["ignored"]
                    and each["role"]["value"] in wanted
                    and not each.get("name", {}).get("value", "").strip()
                    and each["role"]["value"] != "table"]
        self.assertEqual(nameless, [])

    def test_a_new_warning_is_spoken_once(self):
        tab = self.open(scenario.shop(215))
        self.assertEqual(tab.value(text("#spoken")), "")
        self.say(scenario.shop(221))
        self.assertIn("metrics sink no handler accepts", tab.value(text("#spoken")))
        spoken = 'document.querySelector("#spoken").firstChild.mark ??= Math.random()'
        before = tab.value(spoken)
        self.say(scenario.shop(222))
        self.assertEqual(tab.value(spoken), before)
        self.assertEqual(tab.value('document.querySelector("#spoken").getAttribute("aria-live")'),
                         "polite")

    def test_cards_of_small_screens_are_still_a_table(self):
        tab = self.open(scenario.shop(310), size=(375, 800))
        nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
        roles = [each["role"]["value"] for each in nodes if not each["ignored"]]
        self.assertGreaterEqual(roles.count("row"), 7)
        self.assertGreaterEqual(roles.count("rowheader"), 7)


class on_screens(Pages):
    def test_nothing_is_wider_than_the_screen(self):
        long_name = "a_component_with_a_name_of_quite_some_length_" * 3
        rows = [scenario.component(long_name, executor=long_name, last_error=scenario.failure(
            1, scenario.SINCE, long_name, long_name, long_name * 5))]
        documents = [scenario.shop(310, stuck=True), scenario.status(
            rows, time=scenario.SINCE + 500, failures=[rows[0]["last_error"]], title=long_name,
            letters=[scenario.letter("1-1", scenario.SINCE, long_name, long_name, long_name * 3)],
            warnings=[scenario.warning("unrouted", long_name, long_name * 2, scenario.SINCE)])]
        tab = self.open(size=(375, 800))
        for document in documents:
            self.say(document)
            tab.click("button.name")
            for width in (320, 375, 600, 900, 1280):
                tab.resize(width, 800)
                self.assertLessEqual(tab.value(WIDTH), width)
                if width <= 375:
                    self.assertEqual(tab.value(WIDER), [])

    def test_texts_contrast_with_what_is_behind_them(self):
        tab = self.open(scenario.shop(310, stuck=True))
        tab.click("button.name")
        for size in ((1280, 900), (375, 800)):
            tab.resize(*size)
            for dark in (False, True):
                tab.prefer(dark)
                self.assertEqual(tab.value(CONTRASTS + "(4.5)"), [])

    def test_light_and_dark_follow_the_system_unless_one_is_chosen(self):
        ground = "getComputedStyle(document.body).backgroundColor"
        tab = self.open(scenario.shop(250), dark=True)
        dark = tab.value(ground)
        tab.prefer(dark=False)
        light = tab.value(ground)
        self.assertNotEqual(dark, light)
        tab.click('#theme [value="dark"] + span')
        self.assertEqual(tab.value(ground), dark)
        tab.send("Page.reload")
        self.see(scenario.shop(250))
        self.assertEqual(tab.value(ground), dark)
        tab.click('#theme [value=""] + span')
        self.assertEqual(tab.value(ground), light)

    def test_nothing_moves_where_people_do_not_want_it(self):
        moves = 'getComputedStyle(document.querySelector(".edge .way")).transitionDuration'
        tab = self.open(scenario.shop(250))
        self.assertNotEqual(tab.value(moves), "0s")
        tab.prefer(still=True)
        self.assertEqual(tab.value(moves), "0s")


if __name__ == "__main__":
    unittest.main()
