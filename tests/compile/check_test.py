#!/usr/bin/env python3
"""The checks of check.py hold where they should, and fail where they should.

Argument: the compiler.
"""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

import check

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


class checks(unittest.TestCase):
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

    def test_a_mistake_with_its_sentence_is_refused(self):
        file = self.file("a.cpp", MISTAKE)
        self.assertEqual(0, self.run_check("refuses", file, "take: give it a char"))

    def test_what_is_precompiled_is_used(self):
        # The file does not include what it uses.
        self.file("lib/take.hpp", "#pragma once\n" + MISTAKE.split("int main")[0])
        rest = "int main" + MISTAKE.split("int main")[1]
        self.assertEqual(0, self.run_check("precompile", "lib/take.hpp", self.root / "made"))
        file = self.file("a.cpp", rest)
        sentence = "take: give it a char"
        self.assertEqual(0, self.run_check("refuses", file, sentence, self.root / "made"))
        self.assertEqual(1, self.run_check("refuses", file, sentence))

    def test_what_cannot_be_precompiled_is_found(self):
        self.assertEqual(1, self.run_check("precompile", "lib/none.hpp", self.root / "made"))

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

    def test_a_header_that_needs_another_is_found(self):
        self.file("lib/good.hpp",
                  "#pragma once\n#include <string>\ninline std::string g() { return {}; }\n")
        self.assertEqual(0, self.run_check("headers", self.root / "lib"))
        self.file("lib/deep/bad.hpp", "#pragma once\ninline std::string b() { return {}; }\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib"))
        self.assertIn("<lib/deep/bad.hpp>", self.output.getvalue())

    def test_a_header_that_its_test_includes_first_is_left_to_that(self):
        self.file("lib/core/bad.hpp", "#pragma once\ninline std::string b() { return {}; }\n")
        self.file("tests/core/bad.test.cpp", "// It.\n#include <lib/core/bad.hpp>\n")
        self.assertEqual(0, self.run_check("headers", self.root / "lib", self.root / "tests"))
        self.file("tests/core/bad.test.cpp", "#include <string>\n#include <lib/core/bad.hpp>\n")
        self.assertEqual(1, self.run_check("headers", self.root / "lib", self.root / "tests"))

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


if __name__ == "__main__":
    COMPILER = [sys.argv.pop(1)]
    unittest.main(verbosity=2)
