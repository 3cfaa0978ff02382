#!/usr/bin/env python3
"""The checks of check.py hold where they should, and fail where they should.

Argument: the compiler.
"""

import contextlib
import io
import pathlib
import re
import sys
import tempfile
import unittest

import check
import refusals

COMPILER = []

MISTAKE = """
template <class T> void take(T) {
  static_assert(sizeof(T) == 1, "take: give it a char");
}
int main() {
#ifdef MSGBUS_CONTROL
  take('a');
#else
  take(1.0);
#endif
}
"""

TOLD_TOO = '  static_assert(sizeof(T) < 3, "msgbus: give it something small");\n'

# Nothing sees it before code is generated.
SEEN_LATE = """
[[gnu::error("take: it is late")]] int late();
#ifdef MSGBUS_CONTROL
int main() { return 0; }
#else
int main() { return late(); }
#endif
"""


class with_files(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.root = pathlib.Path(self.scratch.name)
        self.compiler = [*COMPILER, "-std=c++20", "-Wall", "-Werror", f"-I{self.root}"]

    def file(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_check(self, name, *arguments):
        self.output = io.StringIO()
        with contextlib.redirect_stdout(self.output):
            return check.main([name, *map(str, arguments), "--", *self.compiler])


class checks(with_files):
    def test_a_mistake_with_its_sentence_is_refused(self):
        file = self.file("a.cpp", MISTAKE)
        self.assertEqual(0, self.run_check("refuses", file, "take: give it a char"))

    def test_another_sentence_is_not_enough(self):
        file = self.file("a.cpp", MISTAKE)
        self.assertEqual(1, self.run_check("refuses", file, "take: give it an int"))
        self.assertIn("does not say", self.output.getvalue())

    def test_what_compiles_is_not_refused(self):
        file = self.file("a.cpp", "int main() {}\n")
        self.assertEqual(1, self.run_check("refuses", file, ""))
        self.assertIn("compiles, and must not", self.output.getvalue())

    def test_a_control_that_does_not_compile_proves_nothing(self):
        file = self.file("a.cpp", MISTAKE.replace("take('a')", "tkae('a')"))
        self.assertEqual(1, self.run_check("refuses", file, "take: give it a char"))
        self.assertIn("MSGBUS_CONTROL", self.output.getvalue())

    def test_a_mistake_that_is_told_twice_is_found(self):
        again = MISTAKE.replace("take(T) {", "take(T) {\n" + TOLD_TOO)
        file = self.file("a.cpp", again.replace('"take', '"msgbus: take'))
        follow_ups = refusals.is_clang(self.compiler)
        self.assertEqual(0 if follow_ups else 1, self.run_check("refuses", file, "a char"))
        if not follow_ups:
            self.assertIn("told as 2", self.output.getvalue())

    def test_a_header_that_needs_another_is_found(self):
        self.file("lib/good.hpp",
                  "#pragma once\n#include <string>\ninline std::string g() { return {}; }\n")
        self.assertEqual(0, self.run_check("headers", self.root / "lib"))
        self.assertIn("1 of 1 headers", self.output.getvalue())
        self.file("lib/deep/bad.hpp", "#pragma once\ninline std::string b() { return {}; }\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib"))
        self.assertIn("<lib/deep/bad.hpp>", self.output.getvalue())
        self.assertIn("1 of 2 headers", self.output.getvalue())

    def test_no_headers_at_all_are_found(self):
        self.assertEqual(1, self.run_check("headers", self.root))

    def test_headers_that_include_each_other_are_one_unit(self):
        self.file("lib/a.hpp", "#pragma once\n#include <string>\ninline std::string a;\n")
        self.file("lib/b.hpp", "#pragma once\n#include <lib/a.hpp>\ninline std::string b;\n")
        self.file("lib/c.hpp", "#pragma once\n#include <lib/a.hpp>\ninline std::string c;\n")
        self.assertEqual(0, self.run_check("headers", self.root / "lib"))
        self.assertIn("3 of 3 headers compile alone, in 2 units", self.output.getvalue())

    def test_a_header_that_needs_what_its_user_includes_is_found(self):
        self.file("lib/bad.hpp", "#pragma once\ninline std::string b() { return {}; }\n")
        self.file("lib/user.hpp", "#pragma once\n#include <string>\n#include <lib/bad.hpp>\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib", "string"))
        self.assertIn("<lib/bad.hpp> does not", self.output.getvalue())
        self.assertNotIn("<lib/user.hpp> does not", self.output.getvalue())

    def test_a_header_that_needs_what_it_includes_too_late_is_found(self):
        self.file("lib/low.hpp", "#pragma once\n#include <string>\n")
        late = "#pragma once\ninline std::string b() { return {}; }\n#include <lib/low.hpp>\n"
        self.file("lib/late.hpp", late)
        self.assertEqual(1, self.run_check("headers", self.root / "lib"))
        self.assertIn("<lib/late.hpp> has code before", self.output.getvalue())

    def test_a_base_is_given_only_to_headers_that_include_it(self):
        self.file("lib/good.hpp", "#pragma once\n#include <string>\ninline std::string good;\n")
        self.assertEqual(0, self.run_check("headers", self.root / "lib", "string"))
        self.file("lib/bad.hpp", "#pragma once\ninline std::string bad;\n")
        self.file("lib/worse.hpp",
                  "#pragma once\n#if 0\n#include <string>\n#endif\ninline std::string worse;\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib", "string"))
        self.assertIn("<lib/bad.hpp> does not", self.output.getvalue())
        self.assertIn("<lib/worse.hpp> does not", self.output.getvalue())
        self.assertNotIn("<lib/good.hpp> does not", self.output.getvalue())

    def test_a_base_that_does_not_compile_is_found(self):
        self.file("lib/a.hpp", "#pragma once\n#include <other/none.hpp>\n")
        with self.assertRaises(SystemExit):
            self.run_check("headers", self.root / "lib", "other/none.hpp")

    def test_a_header_with_a_warning_is_found(self):
        self.file("lib/a.hpp", "#pragma once\ninline int a() { int unused; return 1; }\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib"))

    def test_a_warning_is_found_in_all_headers_together(self):
        self.file("lib/a.hpp", "#pragma once\ninline int a() { return 1; }\n")
        self.assertEqual(0, self.run_check("together", self.root / "lib"))
        self.file("lib/deep/b.hpp", "#pragma once\ninline int b() { int unused; return 1; }\n")
        self.assertEqual(1, self.run_check("together", self.root / "lib"))

    def test_a_header_without_a_guard_is_found(self):
        self.file("lib/a.hpp", "inline int a() { return 1; }\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib"))

    def test_a_header_that_is_included_indirectly_is_found(self):
        self.file("lib/asio.hpp", "#pragma once\n")
        self.file("lib/low.hpp", '#include "asio.hpp"\n')
        self.file("lib/top.hpp", '#include "low.hpp"\n')
        self.file("lib/clean.hpp", "#include <string>\n")
        self.assertEqual(1, self.run_check("no-path", "asio", "lib/top.hpp"))
        self.assertEqual(0, self.run_check("no-path", "asio", "lib/clean.hpp"))
        self.assertEqual(1, self.run_check("no-path", "asio", "lib/missing.hpp"))

class refuses_all(with_files):
    """One unit of all files shows all that one unit for each of them shows."""

    def run_all(self, *cases):
        """Each case is the text of a file and its sentence."""
        lines = [f"case {number}\t{self.file(f'{number}.cpp', text)}\t{sentence}\n"
                 for number, (text, sentence) in enumerate(cases)]
        return self.run_check("refuses-all", self.file("list.txt", "".join(lines)))

    def assert_output(self, *parts):
        for part in parts:
            self.assertIn(part, self.output.getvalue())

    def assert_failed(self, *numbers):
        failed = re.findall(r"refused as it should be: case (\d)", self.output.getvalue())
        self.assertEqual(list(numbers), [int(number) for number in failed])

    def test_mistakes_with_their_sentences_are_refused_together(self):
        other = MISTAKE.replace("give it", "hand it")
        self.assertEqual(0, self.run_all((MISTAKE, "take: give it"), (other, "take: hand it"),
                                         (MISTAKE, "take: give it")))
        self.assert_output("3 of 3 mistakes", "3 were seen together, 0 alone")

    def test_an_empty_list_is_found(self):
        self.assertEqual(1, self.run_all())
        self.assert_output("no mistakes there")

    def test_the_sentence_of_another_file_is_not_enough(self):
        other = MISTAKE.replace("give it", "hand it")
        self.assertEqual(1, self.run_all((MISTAKE, "take: hand it"), (other, "take: give it")))
        self.assert_failed(0, 1)
        self.assert_output("0 of 2 mistakes", "the compiler does not say: take: hand it")

    def test_what_compiles_is_not_refused_by_the_errors_of_others(self):
        fine = MISTAKE.replace("1.0", "'b'")
        self.assertEqual(1, self.run_all((MISTAKE, "take"), (fine, "take"), (MISTAKE, "take")))
        self.assert_failed(1)
        self.assert_output("compiles, and must not")

    def test_a_control_that_does_not_compile_is_found(self):
        slip = MISTAKE.replace("take('a')", "tkae('a')")
        self.assertEqual(1, self.run_all((MISTAKE, "take"), (slip, "take"), (MISTAKE, "take")))
        self.assert_failed(1)
        self.assert_output("MSGBUS_CONTROL", "2 of 3 mistakes")

    def test_a_file_that_spoils_the_others_is_found(self):
        slip = MISTAKE.replace("take('a');", "take('a'); }")
        self.assertEqual(1, self.run_all((MISTAKE, "take"), (slip, "take"), (MISTAKE, "take")))
        self.assert_failed(1)

    def test_a_mistake_that_is_told_twice_is_found(self):
        once = MISTAKE.replace('"take', '"msgbus: take')
        twice = once.replace("take(T) {", "take(T) {\n" + TOLD_TOO)
        found = self.run_all((once, "a char"), (twice, "a char"), (once, "a char"))
        if refusals.is_clang(self.compiler):
            self.assertEqual(0, found)
        else:
            self.assertEqual(1, found)
            self.assert_failed(1)
            self.assert_output("told as 2")

    def test_a_mistake_that_is_seen_late_is_refused(self):
        self.assertEqual(0, self.run_all((MISTAKE, "take: give it"), (SEEN_LATE, "it is late")))
        self.assert_output("1 were seen together, 1 alone")

    def test_a_mistake_that_is_told_only_once_for_two_files_is_refused(self):
        self.file("lib/take.hpp", "#pragma once\n" + MISTAKE.split("int main")[0])
        text = "#include <lib/take.hpp>\nint main" + MISTAKE.split("int main")[1]
        self.assertEqual(0, self.run_all((text, "take: give it"), (text, "take: give it")))

    def test_the_line_of_a_header_is_seen_for_each_file(self):
        self.file("lib/name.hpp", "#pragma once\nstruct name {\n  consteval name(char c) {\n"
                                  "    if (c == ' ') throw \"a name has an invalid letter\";\n"
                                  "  }\n};\n")
        text = ("#include <lib/name.hpp>\n#ifdef MSGBUS_CONTROL\nconstexpr name n('a');\n"
                "#else\nconstexpr name n(' ');\n#endif\n")
        sentence = "a name has an invalid letter"
        self.assertEqual(0, self.run_all((text, sentence), (text, sentence)))
        self.assert_output("2 were seen together, 0 alone")

    def test_a_pragma_ends_with_its_file(self):
        text = ("[[nodiscard]] int get();\n#ifndef MSGBUS_CONTROL\n"
                "void use() { get(); }\n#endif\n")
        strict = '#pragma GCC diagnostic error "-Wunused-result"\n' + text
        self.compiler.remove("-Werror")
        self.assertEqual(1, self.run_all((strict, "get"), (text, "get")))
        self.assert_failed(1)

    def test_a_compiler_that_cannot_run_is_found(self):
        self.compiler.append("-no-such-option")
        self.assertEqual(1, self.run_all((MISTAKE, "take")))
        self.assert_failed(0)


if __name__ == "__main__":
    COMPILER = [sys.argv.pop(1)]
    unittest.main(verbosity=2)
