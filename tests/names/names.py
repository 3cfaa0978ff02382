#!/usr/bin/env python3
"""The names that the public headers declare in namespace msgbus, compared with those documented.

  names.py INCLUDE_DIRECTORY LIST    fails if one is there that the list lacks, or the reverse;
                                     also if a value has no operator <<, by which tests print it
  names.py INCLUDE_DIRECTORY         prints them

Reads the headers as text, so that it needs no compiler. Nested namespaces that users are meant to
open (`async`, `sync`, `testing`, `nats`) are listed with their names; those of modules and `detail`
are the library's own. The list has one name a line; what follows `#` is a comment. `# settings`
marks a struct that a program gives to the library and does not get from it.
"""

import pathlib
import re
import sys

OPENED = {"msgbus", "msgbus::sync", "msgbus::async", "msgbus::testing", "msgbus::nats",
          "msgbus::durable"}
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|\d[\w\']*|'
                   r'::|->|<=>|&&|\|\||\[\[|\]\]|\S')


def tokens_of(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", " ", text)
    text = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", " ", text, flags=re.MULTILINE)
    return TOKEN.findall(text)


def skip(tokens, at, opening, closing):
    """The index behind the bracket that closes the one at `at`."""
    depth = 0
    while at < len(tokens):
        depth += (tokens[at] == opening) - (tokens[at] == closing)
        at += 1
        if depth == 0:
            break
    return at


def bare(tokens):
    """Without attributes, template parameters and constraints in front of what is declared."""
    at = 0
    while at < len(tokens):
        if tokens[at] == "[[":
            at = skip(tokens, at, "[[", "]]")
        elif tokens[at] == "template" and tokens[at + 1:at + 2] == ["<"]:
            at = skip(tokens, at + 1, "<", ">")
        elif tokens[at] == "requires":
            at += 1
            while at < len(tokens):
                if tokens[at] == "!":
                    at += 1
                    continue
                if tokens[at] == "(":
                    at = skip(tokens, at, "(", ")")
                else:  # a concept's name and its arguments
                    at += 1
                    while at < len(tokens) and tokens[at] == "::":
                        at += 2
                    if tokens[at:at + 1] == ["<"]:
                        at = skip(tokens, at, "<", ">")
                if tokens[at:at + 1] not in (["&&"], ["||"]):
                    break
                at += 1
        elif tokens[at] in ("inline", "constexpr", "consteval", "constinit", "static", "extern",
                            "friend"):
            at += 1
        else:
            break
    return tokens[at:]


def without_arguments(tokens):
    """Without attributes and what is in angle brackets, and up to the first parenthesis."""
    kept, at = [], 0
    while at < len(tokens):
        if tokens[at] == "<":
            at = skip(tokens, at, "<", ">")
            kept.append("<>")
        elif tokens[at] == "[[":
            at = skip(tokens, at, "[[", "]]")
        elif tokens[at:at + 3] == ["decltype", "(", "auto"]:
            at += 4
        elif tokens[at] in ("(", "=", "{"):
            break
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def declared(tokens):
    """The name that a declaration adds to its namespace; nothing if it adds none."""
    tokens = bare(tokens)
    if not tokens or tokens[0] in ("static_assert", "asm") or "operator" in tokens[:12]:
        return None
    if tokens[0] == "concept":
        return tokens[1]
    if tokens[0] == "using":
        if tokens[1] == "namespace":
            return None
        return tokens[1] if tokens[2:3] == ["="] else tokens[-1]
    if tokens[0] in ("class", "struct", "enum", "union"):
        words = without_arguments(tokens[1:])
        words = [w for w in words if w not in ("class", "struct", "final")]
        if ":" in words:
            words = words[:words.index(":")]
        # `struct a<T>` specialises, `enum a : int` and `class a` declare.
        return words[0] if words and "<>" not in words and "::" not in words else None
    words = without_arguments(tokens)
    if words and words[-1] == "<>":
        words = words[:-1]  # a specialisation of what was declared before
        return None
    if "requires" in words:  # behind the parameters
        words = words[:words.index("requires")]
    if len(words) > 2 and words[-2] == "::":
        return None  # defines a member
    return words[-1] if words and re.match(r"[A-Za-z_]", words[-1]) else None


def declarations_in(tokens):
    """(namespace, tokens) of each declaration in the namespaces that a user opens."""
    stack, statement, found = [], [], []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token == "namespace" and not statement:
            end = at
            while tokens[end] not in ("{", ";", "="):
                end += 1
            if tokens[end] == "{":
                name = "".join(tokens[at + 1:end])
                stack.append("::".join([*stack[-1:], name]) if stack else name)
                at = end + 1
            else:
                while tokens[at] != ";":
                    at += 1
                at += 1
            continue
        if token == "}" and not statement:
            if stack:
                stack.pop()
            at += 1
            continue
        if token == "{":
            body_ends = skip(tokens, at, "{", "}")
            statement.append("{")
            at = body_ends
            # A function's or a variable's or a type's body; what follows may be `;` or not.
            if tokens[at:at + 1] == [";"]:
                at += 1
            elif tokens[at:at + 1] in (["{"], [","], [")"]):
                continue
            note(stack, statement, found)
            statement = []
            continue
        if token == ";":
            note(stack, statement, found)
            statement = []
        elif token == "(":
            end = skip(tokens, at, "(", ")")
            statement += tokens[at:end]
            at = end
            continue
        else:
            statement.append(token)
        at += 1
    return found


def note(stack, statement, found):
    here = stack[-1] if stack else ""
    if here in OPENED and statement:
        found.append((here, statement))


def names_in(tokens):
    named = ((here, declared(statement)) for here, statement in declarations_in(tokens))
    return {f"{here}::{name}" for here, name in named if name}


def values_in(tokens):
    """(values, printed): the structs and enumerations that are defined, and the types of the
    operators << of streams. Templates, and options that a program gives, are no values."""
    values, printed = set(), set()
    for here, statement in declarations_in(tokens):
        if statement[0] in ("struct", "enum") and "{" in statement:
            values.add(f"{here}::{declared(statement)}")
        elif "ostream" in statement and "operator" in statement:
            of = statement[statement.index(",") + 1:-2]  # without the parameter's name
            printed.add(f"{here}::" + "".join(of).removeprefix("const").removesuffix("&"))
    return {name for name in values if not name.endswith("options")}, printed


def all_tokens(directory):
    return [tokens_of(header.read_text(encoding="utf-8"))
            for header in sorted(pathlib.Path(directory).rglob("*.hpp"))]


def main(arguments):
    headers = all_tokens(arguments[0])
    found = set().union(*map(names_in, headers))
    if len(arguments) == 1:
        print("\n".join(sorted(found)))
        return 0
    lines = pathlib.Path(arguments[1]).read_text(encoding="utf-8").splitlines()
    listed = {line.split("#")[0].strip() for line in lines} - {""}
    settings = {line.split("#")[0].strip() for line in lines if line.endswith("# settings")}
    values = set().union(*(values_in(each)[0] for each in headers))
    printed = set().union(*(values_in(each)[1] for each in headers))
    unprinted = values - printed - settings
    for name in sorted(settings & printed):
        print(f"{name} has an operator <<, and `# settings` behind it in {arguments[1]}")
    for name in sorted(unprinted):
        print(f"{name} is a value without an operator <<: add one, or write `# settings` behind it "
              f"in {arguments[1]}")
    for name in sorted(found - listed):
        print(f"{name} is in a public header and not in {arguments[1]}: put it into a `detail` "
              "namespace, or document it and add it there")
    for name in sorted(listed - found):
        print(f"{name} is in {arguments[1]} and in no public header")
    print(f"{len(found)} names")
    return 0 if found == listed and found and not unprinted | settings & printed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
