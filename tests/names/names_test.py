#!/usr/bin/env python3
"""names.py, tried on declarations of every form."""

import unittest

from names import names_in, tokens_of, values_in


def found(text):
    return sorted(names_in(tokens_of(text)))


class Names(unittest.TestCase):
    def test_every_form_of_declaration_is_found(self):
        self.assertEqual(found("""
namespace msgbus {
class a : public b { int inside; void f() {} };
template <class T> struct [[nodiscard]] c;
enum class d : int { one };
using e = int;
template <class T> concept f = requires { typename T::x; };
template <class T> requires(sizeof(T) > 1 && f<T>) inline constexpr int g = 1;
[[nodiscard]] std::vector<int> h(std::string_view text, int = 3) noexcept;
template <class T> decltype(auto) i(T&& t) { return [&] { return t; }(); }
template <class T> auto j(T t) requires f<T> { if (t) { return 1; } return 2; }
extern thread_local int k;
inline constexpr l<int> m{"m"};
using n::o;
}
"""), [f"msgbus::{name}" for name in "acdefghijkmo"])

    def test_what_is_of_the_library_alone_is_not(self):
        self.assertEqual(found("""
namespace msgbus::detail { class a {}; }
namespace msgbus { namespace detail { int b(); } namespace exec { class c; } class d; }
namespace other { class e; }
template <> struct std::hash<msgbus::d> { int f; };
// class g;
#define h class i;
namespace msgbus { template <> inline constexpr int d<int> = 2; int d::member() { return 1; } }
"""), ["msgbus::d"])

    def test_families_are_listed_with_their_names(self):
        self.assertEqual(found("namespace msgbus::async { using msgbus::policy; class b; }"),
                         ["msgbus::async::b", "msgbus::async::policy"])

    def test_values_are_compared_with_what_a_stream_prints(self):
        values, printed = values_in(tokens_of("""
namespace msgbus {
struct a { int x = 0; };
std::ostream& operator<<(std::ostream& out, const a& value);
enum class b { one };
struct c_options { int x; };
struct declared_only;
template <class T> struct traits { int x; };
class handle { friend std::ostream& operator<<(std::ostream& out, const handle& value); };
namespace nats { struct d { enum class kind { one }; };
std::ostream& operator<<(std::ostream& out, d::kind value); }
namespace detail { struct e { int x; }; }
}
"""))
        self.assertEqual(values, {"msgbus::a", "msgbus::b", "msgbus::nats::d"})
        self.assertEqual(printed, {"msgbus::a", "msgbus::nats::d::kind"})


if __name__ == "__main__":
    unittest.main()
