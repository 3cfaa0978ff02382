#!/usr/bin/env python3
"""What can be said of the vcpkg port and the Conan recipe without vcpkg and Conan."""

import ast
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = ROOT / "packaging" / "vcpkg" / "msgbus"
RECIPE = ROOT / "packaging" / "conan" / "conanfile.py"


def text(*parts):
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


VERSION = re.search(r"project\(msgbus\s+VERSION ([\d.]+)", text("CMakeLists.txt"))[1]
OPTIONS = set(re.findall(r"^option\((\w+)", text("cmake", "options.cmake"), re.M))


def options_in(source):
    return set(re.findall(r"MSGBUS_\w*[A-Z]", source))


class packaging(unittest.TestCase):
    def test_vcpkg_has_the_version_of_the_project(self):
        for manifest in (ROOT / "vcpkg.json", PORT / "vcpkg.json"):
            self.assertEqual(json.loads(manifest.read_text(encoding="utf-8"))["version"], VERSION)

    def test_the_port_depends_on_what_the_project_depends_on(self):
        project, port = (json.loads(path.read_text(encoding="utf-8"))
                         for path in (ROOT / "vcpkg.json", PORT / "vcpkg.json"))
        self.assertEqual(port["dependencies"], project["dependencies"])
        self.assertEqual(port["features"]["nats"], project["features"]["nats"])
        self.assertEqual(set(port["features"]), set(project["features"]) - {"tests"})

    def test_the_port_sets_options_that_there_are(self):
        used = options_in(PORT.joinpath("portfile.cmake").read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(used), 4)
        self.assertLessEqual(used, OPTIONS)

    def test_the_port_is_where_its_sources_are(self):
        source = PORT.joinpath("portfile.cmake").read_text(encoding="utf-8")
        up = re.search(r'"\$\{CURRENT_PORT_DIR\}/([./]+)" ABSOLUTE', source)[1]
        self.assertEqual(PORT.joinpath(up).resolve(), ROOT)

    def test_the_recipes_are_python(self):
        for script in (RECIPE, RECIPE.parent / "test_package" / "conanfile.py"):
            ast.parse(script.read_text(encoding="utf-8"), script.name)

    def test_the_recipe_finds_the_version_of_the_project(self):
        pattern = re.search(r're\.search\(r"(.*?)", text\)',
                            RECIPE.read_text(encoding="utf-8"))[1]
        self.assertEqual(re.search(pattern, text("CMakeLists.txt"))[1], VERSION)
        self.assertEqual(RECIPE.parents[2], ROOT)  # TREE is two folders up

    def test_the_recipe_sets_options_that_there_are(self):
        source = RECIPE.read_text(encoding="utf-8")
        parts = re.search(r'for part in \(([^)]*)\)', source)[1]
        used = {f"MSGBUS_BUILD_{part}" for part in re.findall(r'"(\w+)"', parts)}
        used |= options_in(source) - {"MSGBUS_BUILD"}
        self.assertGreaterEqual(len(used), 4)
        self.assertLessEqual(used, OPTIONS)

    def test_the_recipe_exports_what_the_project_is_built_from(self):
        patterns = re.search(r"for pattern in \(([^)]*)\)", RECIPE.read_text(encoding="utf-8"))[1]
        for pattern in re.findall(r'"([^"]+)"', patterns):
            self.assertTrue(list(ROOT.glob(pattern)), pattern)


if __name__ == "__main__":
    unittest.main()
