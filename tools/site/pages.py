"""The Markdown of the repository as pages of a site: links and lists as MkDocs has them."""

import posixpath
import re

# A link, or code, in which there are none.
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s]+)(\))|`(?:[^`\n]|\n(?!\n))*`")
LIST_ITEM = re.compile(r"^( *)([-*]|\d+\.) ")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
IMAGES = {".svg", ".png"}
GUARANTEES = "docs/guarantees.md"
NUMBERED = re.compile(r"^- \*\*([A-Z]\d{1,2})\b", re.M)  # a guarantee, there
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".cmake": "cmake", ".sh": "bash",
             ".json": "json"}


def without_comments(text):
    """Comments hold code for the tests, which must not reach a reader."""
    out, fenced = [], None
    for part in re.split(r"(?m)(^\s*`{3,}[^`\n]*\n)", COMMENT.sub("\0", text)):
        if FENCE.match(part):
            fenced = None if fenced else part
        out.append(part)
    return "".join(out).replace("\0", "")


def converted(text, link):
    """`link(target)` gives the address of what a page links to."""
    parts, prose, fence, previous = [[]], True, None, ""
    for line in without_comments(text).splitlines():
        match = FENCE.match(line)
        if match:
            fence = None if fence and match[1].startswith(fence) else fence or match[1]
        elif fence is None:
            item = LIST_ITEM.match(line)
            if item and previous.strip() and not re.match(r"\s*([-*]|\d+\.) |\s{2,}", previous):
                parts[-1].append("")  # GitHub lets a list follow a paragraph at once
            if line.startswith("  "):  # nested lists: MkDocs indents by four
                spaces = len(line) - len(line.lstrip(" "))
                line = " " * (2 * spaces) + line.lstrip(" ")
        if (match is None and fence is None) != prose:
            prose = not prose
            parts.append([])
        parts[-1].append(line)
        previous = line
    texts = ["\n".join(part) for part in parts]  # prose, code, prose, ...
    texts[::2] = [LINK.sub(lambda found: linked(found, link), text) for text in texts[::2]]
    return "\n".join(texts) + "\n"


def linked(found, link):
    """A link with its address in the site; that of a guarantee's number leads to the guarantee."""
    if not found[1]:
        return found[0]
    target = found[2]
    number = re.fullmatch(r"\[([A-Z]\d{1,2})\]\(", found[1])
    if number and target.endswith("guarantees.md"):
        target += f"#{number[1]}"
    return found[1] + link(target) + found[3]


def with_anchors(text):
    """The page of guarantees, with an anchor for each number."""
    return NUMBERED.sub(r'- <span id="\1"></span>**\1', text)


class Site:
    """Pages by their place in the repository; sources that pages link to become pages too."""

    def __init__(self, root, out):
        self.root, self.out = root, out
        self.places = {}  # path in the repository -> path in the site
        self.sources = {}  # the same, of sources that are linked
        self.images = {}

    def plan(self, path, place):
        self.places[path] = place

    def link_from(self, path):
        here = posixpath.dirname(self.places.get(path) or self.sources[path])

        def link(target):
            address, _, anchor = target.partition("#")
            if not address or re.match(r"[a-z]+:", address):
                return target
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
            place = self.places.get(wanted) or self.source(wanted)
            place = posixpath.relpath(place, here or ".")
            return place + (f"#{anchor}" if anchor and wanted in self.places else "")

        return link

    def source(self, path):
        file = self.root / path
        if not file.exists():
            raise LookupError(f"a page links to {path}, which is not there")
        if file.suffix in IMAGES:
            self.images[path] = f"images/{file.name}"
            return self.images[path]
        if path not in self.sources:
            self.sources[path] = f"source/{path}.md" if path != "." else "source/index.md"
        return self.sources[path]

    def write(self):
        for path in self.places:
            text = self.root.joinpath(path).read_text(encoding="utf-8")
            if path == GUARANTEES:
                text = with_anchors(text)
            self.put(self.places[path], converted(text, self.link_from(path)))
        done = set()
        while set(self.sources) - done:
            for path in set(self.sources) - done:
                done.add(path)
                self.put(self.sources[path], self.source_page(path))
        for path, place in self.images.items():
            self.target(place).write_bytes(self.root.joinpath(path).read_bytes())

    def source_page(self, path):
        file = self.root / path
        if file.is_dir():
            entries = sorted(entry.name for entry in file.iterdir()
                             if not entry.name.startswith((".", "__")))
            link = self.link_from(path)
            rows = []
            for name in entries:
                if (file / name).is_dir():
                    rows.append(f"- `{name}/`")
                else:
                    address = link(posixpath.join(posixpath.basename(path), name))
                    rows.append(f"- [`{name}`]({address})")
            return f"# `{path}/`\n\n" + "\n".join(rows) + "\n"
        text = file.read_text(encoding="utf-8")
        if path.endswith(".md"):
            return converted(text, self.link_from(path))
        language = LANGUAGES.get(file.suffix, "text")
        return f"# `{path}`\n\n~~~~~~{language}\n{text}\n~~~~~~\n"

    def put(self, place, text):
        self.target(place).write_text(text, encoding="utf-8")

    def target(self, place):
        """The file of the site that has this place, in a folder that is there."""
        target = self.out / place
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
