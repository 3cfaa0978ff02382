#!/usr/bin/env python3
"""The parts of tools/docs that need no Doxygen, MkDocs or browser."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools" / "site"))

import check  # noqa: E402
import pages  # noqa: E402
import reference  # noqa: E402


class markdown(unittest.TestCase):
    def converted(self, text):
        return pages.converted(text, lambda target: f"<{target}>")

    def test_links_lead_to_pages_of_the_site(self):
        self.assertEqual(self.converted("see [a](b.md) and [`c`](d.md#e)"),
                         "see [a](<b.md>) and [`c`](<d.md#e>)\n")

    def test_a_link_may_go_over_two_lines(self):
        self.assertEqual(self.converted("see [a\nb](c.md)"), "see [a\nb](<c.md>)\n")

    def test_the_number_of_a_guarantee_leads_to_it(self):
        self.assertEqual(self.converted("([D6](../guarantees.md))"),
                         "([D6](<../guarantees.md#D6>))\n")
        self.assertEqual(pages.with_anchors("- **D6 Cancel.** It"),
                         '- <span id="D6"></span>**D6 Cancel.** It')

    def test_code_has_no_links(self):
        for text in ("`x[i](y)`\n", "a\n```cpp\nx[i](y);\n```\n"):
            self.assertEqual(self.converted(text), text)

    def test_comments_do_not_reach_readers(self):
        self.assertEqual(self.converted("a\n<!-- snippet: hidden\n```\nint x;\n-->\nb\n"),
                         "a\nb\n")

    def test_a_list_may_follow_a_paragraph_and_hold_another_list(self):
        self.assertEqual(self.converted("a\n- b\n  - c\n"), "a\n\n- b\n    - c\n")


class signatures(unittest.TestCase):
    def test_cpp_has_the_spaces_of_this_project(self):
        self.assertEqual(reference.code("std::shared_ptr< provider > &"),
                         "std::shared_ptr<provider>&")
        self.assertEqual(reference.code("const E &event"), "const E& event")
        self.assertEqual(reference.code("operator=(const T &)=default"),
                         "operator=(const T&) = default")


XML = {
    "index.xml": """<doxygenindex><compound refid="a" kind="struct"><name>m::a</name></compound>
        <compound refid="base" kind="class"><name>m::detail::base</name></compound>
        <compound refid="m" kind="namespace"><name>m</name></compound></doxygenindex>""",
    "a.xml": """<doxygen><compounddef id="a" kind="struct"><compoundname>m::a</compoundname>
        <basecompoundref refid="base" prot="public">m::detail::base</basecompoundref>
        <sectiondef kind="public-func">
        <memberdef kind="function" prot="public"><type>void</type><name>said</name>
          <argsstring>()</argsstring><briefdescription><para>Says.</para></briefdescription>
        </memberdef>
        <memberdef kind="function" prot="public"><type>void</type><name>said</name>
          <argsstring>(int i)</argsstring></memberdef>
        <memberdef kind="function" prot="public"><type/><name>a</name>
          <argsstring>()</argsstring></memberdef></sectiondef>
        <detaileddescription><para>An a.</para></detaileddescription>
        <location file="m/a.hpp"/></compounddef></doxygen>""",
    "base.xml": """<doxygen><compounddef id="base" kind="class">
        <compoundname>m::detail::base</compoundname><sectiondef kind="public-func">
        <memberdef kind="function" prot="public"><type>int</type><name>unsaid</name>
          <argsstring>() const</argsstring></memberdef></sectiondef>
        <location file="m/detail/base.hpp"/></compounddef></doxygen>""",
    "m.xml": """<doxygen><compounddef id="m" kind="namespace"><compoundname>m</compoundname>
        <sectiondef kind="func"><memberdef kind="function" prot="public"><type>int</type>
        <name>f</name><argsstring>()</argsstring><location file="m/f.hpp"/></memberdef>
        </sectiondef></compounddef></doxygen>""",
}


class comments(unittest.TestCase):
    def test_names_without_a_comment_are_found_in_classes_and_their_bases(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in XML.items():
                pathlib.Path(folder, name).write_text(text, encoding="utf-8")
            refs = reference.Reference(folder)
            self.assertEqual(refs.undocumented(["m::a", "m::f", "m::none"]),
                             {"m::a::unsaid", "m::f", "m::none"})
            self.assertEqual(refs.undocumented(["m::a"]), {"m::a::unsaid"})


class links(unittest.TestCase):
    def dead(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                pathlib.Path(folder, f"{name}.html").write_text(text, encoding="utf-8")
            return check.dead_links(folder)

    def test_a_link_leads_to_a_page_and_its_anchor(self):
        self.assertEqual(self.dead(a='<a href="b.html#c">', b='<h2 id="c"><a href="https://x">'),
                         (1, []))

    def test_a_page_an_anchor_or_a_picture_that_is_not_there_is_found(self):
        count, dead = self.dead(a='<a href="b.html#d"><a href="e.html"><img src="f.svg">',
                                b='<h2 id="c">')
        self.assertEqual((count, len(dead)), (3, 3))

    def test_no_link_leaves_the_site(self):
        self.assertEqual(len(self.dead(a='<a href="../../etc/passwd">')[1]), 1)


if __name__ == "__main__":
    unittest.main()
