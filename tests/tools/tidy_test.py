#!/usr/bin/env python3
"""Each rule of tools/tidy fires on a small tree that breaks it, and on none that does not."""

import importlib.machinery
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "tidy"

# A tree in which all is well.
GOOD = {
    "ARCHITECTURE.md": """\
# Architecture

umbrella   sync.hpp      only #include lines
layer 3    sync/
layer 2    routing/  di/
layer 1    snapshot/
layer 0    core/

| module | public headers | holds |
|---|---|---|
| `core/` | `topic` | words |
| `routing/` | `subscription` | routes |

Below `detail/`, each header of the layers 0 to 1 has a test.
""",
    "include/msgbus/sync.hpp": """\
#pragma once

// The sync family.

#include <msgbus/subscription.hpp>
#include <msgbus/topic.hpp>
""",
    "include/msgbus/topic.hpp": "#pragma once\n\n/// Gives T7.\n",
    "include/msgbus/detail/core/hash.hpp": "// What it is.\n#pragma once\n",
    "include/msgbus/detail/snapshot/guard.hpp": "#pragma once\n",
    "include/msgbus/subscription.hpp": """\
#pragma once

#include <msgbus/detail/routing/node.hpp>
#include <msgbus/detail/snapshot/guard.hpp>
#include <msgbus/topic.hpp>
#include <vector>
""",
    "include/msgbus/detail/routing/node.hpp": """\
#pragma once

#include <msgbus/detail/routing/leaf.hpp>
#include <msgbus/topic.hpp>
""",
    "include/msgbus/detail/routing/leaf.hpp": "#pragma once\n",
    "src/CMakeLists.txt": "set(MSGBUS_SYNC_SOURCES\n  routing/table.cpp\n)\n",
    "src/routing/table.cpp": "#include <msgbus/subscription.hpp>\n",
    "tests/CMakeLists.txt":
        "msgbus_test_module(public)\nmsgbus_test_module(core)\nmsgbus_test_module(routing)\n"
        "msgbus_test_module(snapshot)\n",
    "tests/topic.test.cpp":
        '#include <msgbus/topic.hpp>\n\nnamespace topic_test {\n\n'
        'TEST_CASE("a topic", "[T7]") {}\n\n}  // namespace topic_test\n',
    "tests/subscription.test.cpp": "#include <msgbus/subscription.hpp>\n",
    "tests/core/hash.test.cpp": "#include <msgbus/detail/core/hash.hpp>\n",
    "tests/routing/node.test.cpp": "#include <msgbus/detail/routing/node.hpp>\n",
    "tests/routing/leaf.test.cpp": "#include <msgbus/detail/routing/leaf.hpp>\n",
    "tests/snapshot/guard.test.cpp": "#include <msgbus/detail/snapshot/guard.hpp>\n",
    "docs/guarantees.md": "# Guarantees\n\n- **T7** Invalid topics are found.\n",
}


class rules(unittest.TestCase):
    def tidy(self, changes, formatting=False):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {**GOOD, **changes}.items():
                if text is None:
                    continue
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            options = [] if formatting else ["--no-format"]
            done = subprocess.run([sys.executable, TOOL, "--root", root, *options], text=True,
                                  capture_output=True)
        self.assertEqual("", done.stderr)
        return done.returncode, done.stdout

    def fires(self, finding, changes, formatting=False):
        code, said = self.tidy(changes, formatting)
        self.assertIn(finding, said)
        self.assertEqual(1, code)
        self.assertIn("1 findings", said, "the change broke more than the rule")

    def added(self, name, line):
        return {name: GOOD[name] + line + "\n"}

    def test_a_good_tree_has_no_findings(self):
        code, said = self.tidy({})
        self.assertEqual((0, True), (code, "all well" in said), said)

    # layers

    def test_upwards(self):
        self.fires("hash.hpp:3: core includes upwards, from routing: <detail/routing/leaf.hpp>",
                   self.added("include/msgbus/detail/core/hash.hpp",
                              "#include <msgbus/detail/routing/leaf.hpp>"))

    def test_a_public_header_has_the_layer_of_its_module(self):
        self.fires("core includes upwards, from snapshot",
                   self.added("include/msgbus/topic.hpp",
                              "#include <msgbus/detail/snapshot/guard.hpp>"))

    def test_upwards_in_a_source(self):
        self.fires("src/core/a.cpp:1: core includes upwards",
                   {"src/core/a.cpp": "#include <msgbus/detail/snapshot/guard.hpp>\n",
                    "src/CMakeLists.txt": "core/a.cpp routing/table.cpp\n"})

    def test_upwards_between_sources(self):
        self.fires("snapshot includes upwards", {
            "src/snapshot/fence.hpp": '#pragma once\n#include "routing/tree.hpp"\n',
            "src/routing/tree.hpp": '#pragma once\n#include "snapshot/fence.hpp"\n'})

    def test_sideways(self):
        self.fires("routing includes sideways, from di", {
            **self.added("include/msgbus/detail/routing/leaf.hpp",
                         "#include <msgbus/detail/di/scope.hpp>"),
            "include/msgbus/detail/di/scope.hpp": "#pragma once\n",
            "tests/di/scope.test.cpp": "#include <msgbus/detail/di/scope.hpp>\n",
            "tests/CMakeLists.txt": GOOD["tests/CMakeLists.txt"] + "msgbus_test_module(di)\n"})

    def test_a_module_without_a_layer(self):
        self.fires("the module attic has no layer", {
            "include/msgbus/detail/attic/a.hpp": "#pragma once\n",
            "tests/attic/a.test.cpp": "#include <msgbus/detail/attic/a.hpp>\n",
            "tests/CMakeLists.txt": GOOD["tests/CMakeLists.txt"] + "msgbus_test_module(attic)\n"})

    def test_a_public_header_without_a_module(self):
        self.fires("error.hpp:1: the table of modules in ARCHITECTURE.md does not name this header", {
            **self.added("include/msgbus/sync.hpp", "#include <msgbus/error.hpp>"),
            "include/msgbus/error.hpp": "#pragma once\n",
            "tests/error.test.cpp": "#include <msgbus/error.hpp>\n"})

    def test_a_table_that_names_no_header(self):
        self.fires("there is no header error.hpp",
                   self.added("ARCHITECTURE.md", "| `snapshot/` | `error` | reading |"))

    def test_a_page_without_layers(self):
        code, said = self.tidy({"ARCHITECTURE.md": "# Architecture\n"})
        self.assertEqual(1, code)
        self.assertIn("umbrella headers are missing", said)

    def test_a_header_that_includes_an_umbrella_header(self):
        code, said = self.tidy(self.added("include/msgbus/detail/routing/leaf.hpp",
                                          "#include <msgbus/sync.hpp>"))
        self.assertEqual(1, code)
        self.assertIn("nothing of the library includes an umbrella header", said)

    def test_a_circle(self):
        self.fires("headers include each other", self.added("include/msgbus/detail/routing/leaf.hpp",
                                                            "#include <msgbus/subscription.hpp>"))

    def test_a_header_with_a_relative_include(self):
        self.fires('includes <msgbus/...>, not "leaf.hpp"',
                   self.added("include/msgbus/detail/routing/node.hpp", '#include "leaf.hpp"'))

    def test_an_include_that_leads_nowhere(self):
        self.fires("there is no <msgbus/detail/core/gone.hpp>",
                   self.added("include/msgbus/detail/routing/node.hpp",
                              "#include <msgbus/detail/core/gone.hpp>"))

    def test_asio_in_a_header_of_the_sync_family(self):
        self.fires("the sync family reaches this file",
                   self.added("include/msgbus/topic.hpp", "#include <asio/post.hpp>"))

    def test_asio_in_a_source_of_the_sync_family(self):
        self.fires("the sync family reaches this file",
                   self.added("src/routing/table.cpp", "#include <asio/post.hpp>"))

    # umbrellas

    def test_an_umbrella_with_code(self):
        self.fires("sync.hpp:7: an umbrella header has only",
                   self.added("include/msgbus/sync.hpp", "int a;"))

    def test_a_header_that_no_umbrella_includes(self):
        self.fires("error.hpp:1: no umbrella header includes this header", {
            "ARCHITECTURE.md": GOOD["ARCHITECTURE.md"].replace("`topic`", "`topic` `error`"),
            "include/msgbus/error.hpp": "#pragma once\n",
            "tests/error.test.cpp": "#include <msgbus/error.hpp>\n"})

    def test_an_umbrella_that_is_not_complete(self):
        self.fires("sync.hpp:1: the umbrella header is not complete: it lacks <msgbus/sync/core.hpp>", {
            **self.added("include/msgbus/sync.hpp", "#include <msgbus/sync/consumer.hpp>"),
            "include/msgbus/sync/consumer.hpp": "#pragma once\n#include <msgbus/sync/core.hpp>\n",
            "include/msgbus/sync/core.hpp": "#pragma once\n",
            "tests/sync/consumer.test.cpp": "#include <msgbus/sync/consumer.hpp>\n",
            "tests/sync/core.test.cpp": "#include <msgbus/sync/core.hpp>\n",
            "tests/CMakeLists.txt": GOOD["tests/CMakeLists.txt"] + "msgbus_test_module(sync)\n"})

    def test_an_umbrella_into_detail(self):
        self.fires("an umbrella header does not include a detail header",
                   self.added("include/msgbus/sync.hpp",
                              "#include <msgbus/detail/core/hash.hpp>"))

    # headers

    def test_a_header_without_pragma_once(self):
        self.fires("a header opens with #pragma once",
                   {"include/msgbus/detail/core/hash.hpp": "int a;\n#pragma once\n"})

    def test_a_long_file(self):
        self.fires("hash.hpp:401: a file has 400 lines at most",
                   {"include/msgbus/detail/core/hash.hpp": "#pragma once\n" + "//\n" * 400})
        self.fires("topic.test.cpp:", {
            "tests/topic.test.cpp": GOOD["tests/topic.test.cpp"] + "//\n" * 400})

    # tests

    def test_a_header_without_a_test(self):
        self.fires("its test is missing: tests/snapshot/table.test.cpp",
                   {"include/msgbus/detail/snapshot/table.hpp": "#pragma once\n"})

    def test_a_header_of_a_higher_layer_needs_a_test_only_if_it_is_public(self):
        code, said = self.tidy({"include/msgbus/detail/routing/table.hpp": "#pragma once\n"})
        self.assertEqual((0, True), (code, "all well" in said), said)
        self.fires("ARCHITECTURE.md:1: the layers, those with a test of each header, or the",
                   {"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"].replace("each header", "some")})

    def test_a_public_header_without_a_test(self):
        self.fires("its test is missing: tests/subscription.test.cpp",
                   {"tests/subscription.test.cpp": None})

    def test_a_test_that_does_not_include_its_header_first(self):
        self.fires("includes its own header first: <msgbus/subscription.hpp>",
                   {"tests/subscription.test.cpp":
                    "#include <vector>\n#include <msgbus/subscription.hpp>\n"})

    def test_a_test_that_is_not_built(self):
        self.fires("lacks msgbus_test_module(stress)", {"tests/stress/cancel.test.cpp": ""})

    def test_a_test_without_a_namespace_of_its_own(self):
        self.fires("a test has a namespace of its own: namespace tree_test {",
                   {"tests/routing/tree.test.cpp": 'TEST_CASE("a tree") {}\n'})

    def test_a_source_that_is_not_built(self):
        self.fires("src/CMakeLists.txt does not name it", {"src/routing/tree.cpp": ""})

    # words: each is put together here, so that this file does not contain it

    def test_words(self):
        for word, sentence in (("na" + "ck", "the word is nak"),
                               ("NA" + "CKed", "the word is nak"),
                               ("TO" + "DO: later", "no notes of things undone"),
                               ("FIX" + "ME", "no notes of things undone"),
                               ("/wo" + "rk/a", "a path of one machine"),
                               ("-I/ho" + "me/me/a", "a path of one machine"),
                               ("see py" + "pi.org", "the name of a package registry"),
                               ("<<<<" + "<<< HEAD", "a merge")):
            with self.subTest(word):
                self.fires(f"docs/a.md:2: {sentence}", {"docs/a.md": f"\n{word}\n"})

    def test_words_that_are_well(self):
        code, said = self.tidy({"docs/a.md": "snacks, a framework/b, https://host/home/a, $x/work/\n"})
        self.assertEqual(0, code, said)

    def test_a_test_that_sleeps(self):
        self.fires("a test does not sleep",
                   self.added("tests/subscription.test.cpp", "std::this_thread::sleep" + "_for(1s);"))

    def test_a_name_that_ctest_cuts(self):
        self.fires("ctest cuts a test's name",
                   self.added("tests/topic.test.cpp", 'TEST_CASE' + '("one; two") {}'))

    def test_code_that_is_switched_off(self):
        self.fires("switched off", self.added("src/routing/table.cpp", "#if" + " 0"))

    def test_globs(self):
        self.fires("a glob that does not look again",
                   self.added("src/CMakeLists.txt", "file(GLO" + "B all *.cpp)"))

    def test_columns(self):
        self.fires("101 columns", self.added("src/routing/table.cpp", "//" + "x" * 99))
        self.assertEqual(0, self.tidy(self.added("src/routing/table.cpp", "//" + "x" * 98))[0])
        self.assertEqual(0, self.tidy({"docs/a.md": "x" * 200})[0])

    def test_white_space(self):
        self.fires("white space at the end", self.added("src/routing/table.cpp", "//  "))
        self.fires("a tab", self.added("src/routing/table.cpp", "\tint a;"))

    # guarantees

    def test_a_guarantee_without_a_test(self):
        self.fires("guarantees.md:3: no test carries the tag [T7]",
                   {"tests/topic.test.cpp":
                    GOOD["tests/topic.test.cpp"].replace(', "[T7]"', "")})

    def test_a_guarantee_that_no_header_gives(self):
        self.fires("no public header says that it gives T7",
                   {"include/msgbus/topic.hpp": "#pragma once\n"})

    def test_a_tag_without_a_guarantee(self):
        self.fires("there is no guarantee T9",
                   self.added("tests/topic.test.cpp", 'TEST_CASE("b", "[T9]") {}'))

    def test_a_missing_page(self):
        self.fires("the page of guarantees is missing", {"docs/guarantees.md": None})

    def test_a_page_without_numbers(self):
        self.fires("has no numbers", {"docs/guarantees.md": "words\n",
                                      "tests/topic.test.cpp":
                                      "#include <msgbus/topic.hpp>\n"})

    # formatting

    @unittest.skipUnless(shutil.which("clang-format-19"), "clang-format-19 is not installed")
    def test_formatting(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        bad = {**style, **self.added("src/routing/table.cpp", "int  a;")}
        self.fires("table.cpp:2: not as clang-format writes it", bad, formatting=True)


def loaded():
    """The tool as a module, for what it exempts."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("tidy", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
    loader.exec_module(module)
    return module


class exemptions(unittest.TestCase):
    """Of this project: each is for something that is there, and needs it."""

    def setUp(self):
        self.tidy = loaded()
        self.tree = self.tidy.Tree(ROOT)

    def test_modules_that_are_named_are_there(self):
        modules = {self.tree.module(path) for path in self.tree.headers()}
        self.assertEqual(modules, set(self.tree.layer_of))

    def test_files_that_are_named_are_there(self):
        for name in self.tidy.NOT_OURS:
            self.assertIn(name, self.tree.files)
        suffixes = {pathlib.PurePosixPath(path).suffix for path in self.tree.files}
        self.assertEqual(set(), self.tidy.WIDE_OK - suffixes)


if __name__ == "__main__":
    unittest.main(verbosity=2)
