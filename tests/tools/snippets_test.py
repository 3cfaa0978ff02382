#!/usr/bin/env python3
"""tools/snippets takes every piece of C++ out of a page, and refuses what it would misread."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "snippets"


class snippets(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name, "root")
        self.out = pathlib.Path(scratch.name, "out")
        (self.root / "docs" / "guide").mkdir(parents=True)

    def page(self, text, name="docs/guide/01-start.md"):
        (self.root / name).write_text(text)

    def tool(self, verb):
        done = subprocess.run([sys.executable, TOOL, verb, self.root, self.out], text=True,
                              capture_output=True)
        self.said = done.stdout + done.stderr
        return done.returncode

    def made(self, name):
        return (self.out / name).read_text()

    def test_fragments_are_one_program(self):
        self.page("""
```cpp
#include <string>
int a = 1;
```
Words.
<!-- snippet: file-scope -->
```cpp
struct late {};
```
```cpp
late b;
```
""")
        self.assertEqual(0, self.tool("generate"))
        text = self.made("guide_01_start.cpp")
        order = [text.index(part) for part in ("#include <string>", "struct late", "int main() {",
                                               "int a", "late b;")]
        self.assertEqual(sorted(order), order)
        self.assertIn('#line 3 "docs/guide/01-start.md"\n\nint a = 1;', text)
        self.assertEqual(0, self.tool("check"), self.said)

    def test_a_block_with_main_is_a_program(self):
        self.page("```cpp\nint x;\n```\n```cpp\nint main() {}\n```\n", "README.md")
        self.assertEqual(0, self.tool("generate"))
        self.assertIn("int x;", self.made("readme.cpp"))
        self.assertEqual(1, self.made("readme_2.cpp").count("main"))

    def test_fresh_begins_anew_and_hidden_code_is_used(self):
        self.page("""```cpp
int a;
```
<!-- snippet: hidden file-scope fresh
struct user {};
-->
```cpp
user a;
```
""")
        self.assertEqual(0, self.tool("generate"))
        self.assertNotIn("user", self.made("guide_01_start.cpp"))
        second = self.made("guide_01_start_2.cpp")
        self.assertLess(second.index("struct user"), second.index("int main"))
        self.assertNotIn("int a;", second)

    def test_output_goes_with_the_program_before_it(self):
        self.page("""```cpp
int main() { std::puts("1"); }
```
<!-- output -->
```text
1
```
```text
not output
```
```cpp
std::puts("2");
```
<!-- output -->

```text
2
```
```cpp
std::puts("3");
```
<!-- output -->
```text
3
```
""")
        self.assertEqual(0, self.tool("generate"), self.said)
        self.assertEqual("1\n", self.made("guide_01_start.txt"))
        self.assertEqual("2\n3\n", self.made("guide_01_start_2.txt"))
        self.assertIn('guide_01_start_2.txt")', self.made("snippets.cmake"))

    def test_check_finds_cpp_that_is_not_built(self):
        for text, name in ((" ```cpp\n int a;\n ```\n", "README.md"),
                           ("```c++\nint a;\n```\n", "README.md"),
                           ("~~~ C++\nint a;\n~~~\n", "README.md"),
                           ("- ```cpp\n  int a;\n  ```\n", "README.md"),
                           ("```cpp\nint a;\n```\n", "docs/other.md"),
                           ("```cpp\nint a;\n```\n", "CONTRIBUTING.md")):
            with self.subTest(text):
                self.page(text, name)
                self.assertEqual(0, self.tool("generate"))
                self.assertEqual(1, self.tool("check"))
                self.assertIn(f"{name}:1:", self.said)
                (self.root / name).unlink()

    def test_cpp_quoted_in_another_block_is_text(self):
        self.page("````text\n```cpp\nint a;\n```\n````\n", "CONTRIBUTING.md")
        self.assertEqual(0, self.tool("generate"))
        self.assertEqual(0, self.tool("check"), self.said)
        self.page("````text\n```cpp\nint a;\n```\n````\n```cpp\n```\n", "CONTRIBUTING.md")
        self.assertEqual(1, self.tool("check"))

    def test_check_finds_a_page_that_is_newer_than_the_build(self):
        self.page("text\n")
        self.assertEqual(0, self.tool("generate"))
        self.page("```cpp\nint a;\n```\n")
        self.assertEqual(1, self.tool("check"))

    def test_pages_that_would_be_misread_are_refused(self):
        for text in ("```cpp\nint a;\n",
                     "<!-- snippet: file-scoop -->\n```cpp\n```\n",
                     "<!-- snippet: file-scope -->\nwords\n```cpp\n```\n",
                     "<!-- snippet: file-scope -->\n```text\n```\n",
                     "<!-- snippet: hidden -->\n",
                     "<!-- snippet: fresh -->\n```cpp\nint main() {}\n```\n",
                     "<!-- output -->\n```text\n1\n```\n",
                     "```cpp\n```\n<!-- output -->\nwords\n",
                     "```cpp\n```\n<!-- output -->\n"):
            with self.subTest(text):
                self.page(text)
                self.assertEqual(1, self.tool("generate"))
                self.assertIn("docs/guide/01-start.md:", self.said)

    def test_what_is_right_is_not_written_again(self):
        self.page("```cpp\nint a;\n```\n")
        self.tool("generate")
        before = (self.out / "guide_01_start.cpp").stat().st_mtime_ns
        self.tool("generate")
        self.assertEqual(before, (self.out / "guide_01_start.cpp").stat().st_mtime_ns)

    def test_what_is_stale_is_removed(self):
        self.page("```cpp\nint a;\n```\n")
        self.tool("generate")
        self.page("words\n")
        self.tool("generate")
        self.assertFalse((self.out / "guide_01_start.cpp").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
