"""Pages of the reference in Markdown, one for each name of docs/names.txt, from Doxygen's XML."""

import pathlib
import re
import xml.etree.ElementTree as ElementTree

SECTIONS = [  # title, whether a member belongs there
    ("Constructors", lambda name, kind, owner: kind == "function" and name == owner),
    ("Functions", lambda name, kind, owner: kind == "function"),
    ("Members", lambda name, kind, owner: kind == "variable"),
    ("Types", lambda name, kind, owner: kind in ("typedef", "enum")),
]
LABELS = "Completes|Throws|Cancellation|Executor|Returns|Threads"
COLUMNS = 88


def text_of(node):
    return "".join(node.itertext()).strip() if node is not None else ""


def code(text):
    """C++ as this project writes it: Doxygen puts spaces where nobody else does."""
    text = re.sub(r"\s+", " ", text.strip())
    text = re.sub(r"<\s+", "<", text)
    text = re.sub(r"\s+>", ">", text)
    text = re.sub(r"\s+([&*]+)", r"\1", text)
    text = re.sub(r"([&*])(?=\w)", r"\1 ", text)
    text = re.sub(r"(\w|\)|\})=(?=[\w{\"-])", r"\1 = ", text)
    return text.replace("( ", "(").replace(" )", ")").replace("operator<", "operator<")


class Entity:
    """Something that a header declares: `node` is its compounddef or memberdef."""

    def __init__(self, name, node, header):
        self.name, self.node, self.header = name, node, header
        self.kind = node.get("kind")
        self.documented = bool(text_of(node.find("briefdescription")) or
                               text_of(node.find("detaileddescription")))


class Reference:
    def __init__(self, xml, guarantees=()):
        self.xml = pathlib.Path(xml)
        self.guarantees = set(guarantees)  # numbers, which become links
        self.compounds = {}  # id -> compounddef
        self.entities = {}  # qualified name -> [Entity]
        index = ElementTree.parse(self.xml / "index.xml").getroot()
        for item in index.iter("compound"):
            if item.get("kind") in ("class", "struct", "union", "concept", "namespace"):
                self.load(item.get("refid"))
        self.pages = {}  # id of a compound or member -> page

    def load(self, refid):
        node = ElementTree.parse(self.xml / f"{refid}.xml").getroot().find("compounddef")
        self.compounds[refid] = node
        name = text_of(node.find("compoundname"))
        if node.get("kind") != "namespace":
            header = node.find("location").get("file")
            self.entities.setdefault(name, []).append(Entity(name, node, header))
            return
        for member in node.iter("memberdef"):
            full = f"{name}::{text_of(member.find('name'))}"
            header = member.find("location").get("file")
            self.entities.setdefault(full, []).append(Entity(full, member, header))

    def resolve(self, name):
        """The entities that a public name stands for; another name's where it is an alias."""
        if name in self.entities:
            return self.entities[name]
        last = name.rsplit("::", 1)[1]
        others = [full for full in self.entities
                  if full.rsplit("::", 1)[-1] == last and "detail" not in full]
        others.sort(key=lambda full: (full.count("::"), full))
        return self.entities[others[0]] if others else []

    # --- What is documented -----------------------------------------------------------------------

    def members(self, compound, seen=()):
        """The public memberdefs of a class, and those of its bases, which users may not name."""
        for section in compound.findall("sectiondef"):
            if section.get("kind").startswith(("public", "user-defined")):
                for member in section.findall("memberdef"):
                    if member.get("prot") == "public" and member.get("kind") != "friend":
                        yield member
        for base in compound.findall("basecompoundref"):
            refid = base.get("refid")
            if base.get("prot") == "public" and refid in self.compounds and refid not in seen:
                for member in self.members(self.compounds[refid], (*seen, refid)):
                    name = text_of(member.find("name"))
                    if name.lstrip("~") != text_of(base).split("<")[0].split("::")[-1].strip():
                        yield member

    def groups(self, compound):
        """(name, kind, [memberdef]) of a class: overloads together, in the order of the header."""
        found = {}
        for member in self.members(compound):
            if "=delete" in text_of(member.find("argsstring")):
                continue
            key = (text_of(member.find("name")), member.get("kind"))
            found.setdefault(key, []).append(member)
        return [(name, kind, nodes) for (name, kind), nodes in found.items()]

    def undocumented(self, names):
        """Public names, and public functions of public classes, without a comment.

        Constructors, destructors and operators need none: the comment of their class tells.
        """
        missing = set()
        for name in names:
            entities = self.resolve(name)
            if entities and entities[0].name != name and entities[0].name in names:
                continue  # another name of one that is on the list itself
            if not any(entity.documented for entity in entities):
                missing.add(name)
            for entity in entities:
                if entity.node.tag != "compounddef" or entity.name != name or "<" in entity.name:
                    continue
                own = name.rsplit("::", 1)[1]
                for member, kind, nodes in self.groups(entity.node):
                    needed = kind == "function" and not re.match(rf"~|operator|{own}$", member)
                    if needed and not any(Entity(member, node, "").documented for node in nodes):
                        missing.add(f"{name}::{member}")
        return missing

    # --- Markdown ---------------------------------------------------------------------------------

    def description(self, node):
        parts = [self.markdown(node.find(tag)) for tag in ("briefdescription",
                                                          "detaileddescription")]
        return "\n\n".join(part for part in parts if part)

    def markdown(self, node):
        if node is None:
            return ""
        blocks = [self.block(child) for child in node]
        text = "\n\n".join(block for block in blocks if block)
        return re.sub(rf"(?m)\s*^\s*({LABELS}):\s", r"\n\n**\1:** ", text).strip()

    def block(self, node):
        if node.tag in ("itemizedlist", "orderedlist"):
            bullet = "-" if node.tag == "itemizedlist" else "1."
            items = [self.markdown(item).replace("\n", "\n    ") for item in node]
            return "\n".join(f"{bullet}   {item}" for item in items)
        if node.tag in ("verbatim", "programlisting", "preformatted"):
            lines = [text_of(line) for line in node.iter("codeline")] or [text_of(node)]
            return "```cpp\n" + "\n".join(lines) + "\n```"
        if node.tag != "para":
            return self.markdown(node)
        out, line = [], self.prose(node.text)
        for child in node:
            if child.tag in ("itemizedlist", "orderedlist", "verbatim", "programlisting",
                             "preformatted"):
                out += [line.strip(), self.block(child)]
                line = ""
            elif child.tag == "simplesect":
                out += [line.strip(), f"**{child.get('kind').title()}:** {self.markdown(child)}"]
                line = ""
            else:
                line += self.inline(child)
            line += self.prose(child.tail)
        return "\n\n".join(part for part in [*out, line.strip()] if part)

    def prose(self, text):
        def link(found):
            number = found[0]
            return f"[{number}](../guarantees.md#{number})" if number in self.guarantees else number

        return re.sub(r"\b[A-Z]\d{1,2}\b", link, text or "")

    def inline(self, node):
        inner = (node.text or "") + "".join(self.inline(child) + (child.tail or "")
                                            for child in node)
        if node.tag == "computeroutput":
            page = self.page_of_name(inner)
            return f"[`{inner}`]({page})" if page else f"`{inner}`"
        if node.tag in ("bold", "emphasis"):
            mark = "**" if node.tag == "bold" else "*"
            return f"{mark}{inner}{mark}"
        if node.tag == "ulink":
            return f"[{inner}]({node.get('url')})"
        entities = {"ndash": "–", "mdash": "—", "nbsp": " ", "linebreak": "\n"}
        return entities.get(node.tag, inner)

    def page_of_name(self, name):
        return self.page_names.get(name.removeprefix("msgbus::"))

    def signature(self, node):
        lines = []
        parameters = node.find("templateparamlist")
        if parameters is not None:
            each = []
            for parameter in parameters.findall("param"):
                text = text_of(parameter.find("type"))
                name = text_of(parameter.find("declname"))
                if name and not text.endswith(name):
                    text += " " + name
                default = text_of(parameter.find("defval"))
                each.append(code(text) + (f" = {code(default)}" if default else ""))
            lines.append(f"template <{', '.join(each)}>")
        requires = text_of(node.find("requiresclause"))
        if requires:
            lines.append(f"  requires {code(requires)}")
        kind = node.get("kind")
        name = text_of(node.find("name"))
        if kind == "typedef":
            lines.append(f"using {name} = {code(text_of(node.find('type')))};")
        elif kind == "enum":
            lines.append(f"enum class {name};")
        elif kind == "function":
            prefix = "explicit " if node.get("explicit") == "yes" else ""
            prefix += "static " if node.get("static") == "yes" else ""
            kind_of = code(text_of(node.find("type")))
            head = f"{prefix}{kind_of} {name}(" if kind_of else f"{prefix}{name}("
            args = [self.parameter(parameter) for parameter in node.findall("param")]
            tail = code(text_of(node.find("argsstring")).rsplit(")", 1)[-1])
            tail = ")" + (f" {tail}" if tail else "") + ";"
            if len(head) + len(", ".join(args)) + len(tail) > COLUMNS and len(args) > 1:
                indent = ",\n" + " " * min(len(head), 40)
                lines.append(head + indent.join(args) + tail)
            else:
                lines.append(head + ", ".join(args) + tail)
        else:
            value = text_of(node.find("initializer"))
            value = " " + code(value) if value and len(value) < 60 else ""
            lines.append(f"{code(text_of(node.find('type')))} {name}{value};")
        return "\n".join(lines)

    def parameter(self, node):
        text = code(text_of(node.find("type")))
        name = text_of(node.find("declname"))
        array = text_of(node.find("array"))
        default = text_of(node.find("defval"))
        return (text + (f" {name}" if name else "") + array +
                (f" = {code(default)}" if default else ""))

    def enum_values(self, node):
        rows = ["| value | meaning |", "|---|---|"]
        for value in node.findall("enumvalue"):
            meaning = self.description(value).replace("\n", " ").replace("|", "\\|")
            rows.append(f"| `{text_of(value.find('name'))}` | {meaning} |")
        return "\n".join(rows)

    def class_page(self, entity):
        own = entity.name.rsplit("::", 1)[1]
        out, groups = [], self.groups(entity.node)
        for title, belongs in SECTIONS:
            chosen = [group for group in groups if belongs(group[0], group[1], own)]
            groups = [group for group in groups if group not in chosen]
            chosen = [group for group in chosen if not group[0].startswith("~")]
            if not chosen:
                continue
            out.append(f"## {title}")
            if title == "Members":
                out.append(self.variables(chosen))
                continue
            for name, _, nodes in chosen:
                if title != "Constructors":
                    out.append(f"### `{name}`")
                out += self.overloads(nodes)
                out += [self.enum_values(node) for node in nodes if node.get("kind") == "enum"]
        return out

    def overloads(self, nodes):
        """Overloads that share a comment stand together: those that follow the one that has it."""
        blocks = []
        for node in nodes:
            if not blocks or self.description(node):
                blocks.append([])
            blocks[-1].append(node)
        for block in blocks:
            yield "```cpp\n" + "\n".join(map(self.signature, block)) + "\n```"
            yield self.description(block[0])

    def variables(self, groups):
        rows = ["| member | meaning |", "|---|---|"]
        for _, _, nodes in groups:
            meaning = self.description(nodes[0]).replace("\n", " ").replace("|", "\\|")
            what = self.signature(nodes[0]).rstrip(";").replace("\n", " ").replace("|", "\\|")
            rows.append(f"| `{what}` | {meaning} |")
        return "\n".join(rows)

    def write(self, names, folder, umbrella_of):
        """Writes the pages into the folder. Returns [(namespace, [(title, file)])] for the menu."""
        folder.mkdir(parents=True, exist_ok=True)
        owners, aliases, self.page_names = [], {}, {}
        for name in names:
            entities = self.resolve(name)
            if not entities:
                raise LookupError(f"docs/names.txt: no public header declares {name}")
            if entities[0].name != name and entities[0].name in names:
                aliases.setdefault(entities[0].name, []).append(name)
            else:
                owners.append((name, entities))
        for name, _ in owners:
            short = name.removeprefix("msgbus::")
            file = short.replace("::", ".") + ".md"
            self.page_names[short] = file
            self.page_names.setdefault(short.rsplit("::", 1)[-1], file)
        menu = {}
        for name, entities in owners:
            file = self.page_names[name.removeprefix("msgbus::")]
            folder.joinpath(file).write_text(
                self.page(name, entities, aliases.get(name, []), umbrella_of), encoding="utf-8")
            space, _, last = name.rpartition("::")
            menu.setdefault(space, []).append((last, file))
        return sorted(menu.items())

    def page(self, name, entities, aliases, umbrella_of):
        first = entities[0]
        # Of a template and its specialisations, the one that says most.
        main = max(entities, key=lambda one: len(list(one.node.iter("memberdef"))))
        kind = {"variable": "constant", "typedef": "type"}.get(first.kind, first.kind)
        umbrella = umbrella_of(first.header)
        out = [f"# {name.removeprefix('msgbus::')}",
               f'<p class="what"><span>{kind}</span> <code>{name}</code>, from '
               f"<code>&lt;{umbrella}&gt;</code></p>"]
        if aliases:
            out.append("Also named " + ", ".join(f"`{alias}`" for alias in aliases) + ".")
        if first.node.tag == "memberdef":
            out.append("```cpp\n" + "\n".join(self.signature(one.node) for one in entities) +
                       "\n```")
        out += filter(None, dict.fromkeys(self.description(one.node) for one in entities))
        if first.kind == "enum":
            out.append(self.enum_values(first.node))
        if main.node.tag == "compounddef":
            out += self.class_page(main)
        return "\n\n".join(out) + "\n"
