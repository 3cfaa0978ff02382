# Makes a package of the tree that this recipe is in:  conan create packaging/conan

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"

TREE = os.path.join(os.pardir, os.pardir)  # from the folder of this recipe


class MsgbusConan(ConanFile):
    name = "msgbus"
    description = "Messaging between the parts of a C++20 program: events, topics and commands"
    license = "Apache-2.0"
    topics = ("messaging", "events", "publish-subscribe", "dependency-injection", "cpp20")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "with_nats": [True, False]}
    default_options = {"shared": False, "fPIC": True, "with_nats": False}
    implements = ["auto_shared_fpic"]

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, TREE, "CMakeLists.txt"))
        self.version = re.search(r"project\(msgbus\s+VERSION ([\d.]+)", text).group(1)

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, TREE)
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, tree, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("asio/1.30.2", transitive_headers=True)
        self.requires("concurrentqueue/1.0.4")
        if self.options.with_nats:
            self.requires("nlohmann_json/3.11.3", transitive_headers=True)
            self.requires("cnats/3.8.2")

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"MSGBUS_BUILD_{part}"] = False
        toolchain.cache_variables["CMAKE_INSTALL_LIBDIR"] = "lib"
        toolchain.cache_variables["MSGBUS_WITH_NATS"] = bool(self.options.with_nats)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        # The library's own package files are used, so that names are the same everywhere.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "msgbus")]
