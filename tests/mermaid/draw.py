#!/usr/bin/env python3
"""Draws graphs with Mermaid itself, in a headless Chromium:  draw.py MERMAID_JS < GRAPHS

GRAPHS is one JSON object a line: {"graph": TEXT, "nodes": {ID: LABEL...}, "arrows": [LABEL...]}.
The drawing must show these nodes with these labels, and these arrows, and nothing else. What
differs is said, and the exit code is 1.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools" / "site"))

import browser  # noqa: E402

# Draws a graph. The nodes by their ids, and the labels of the arrows, as they are read. Elements
# that no label has are counted by their names.
DRAW = """(async (text) => {
  const {svg} = await mermaid.render("drawn", text);
  const holder = document.createElement("div");
  holder.innerHTML = svg;
  document.body.append(holder);
  const read = (element) => {
    for (const each of element.querySelectorAll("br")) each.replaceWith("\\n");
    return element.textContent;
  };
  const nodes = {};
  for (const each of holder.querySelectorAll("g.node")) {
    nodes[each.id.replace(/^.*?flowchart-(.*)-\\d+$/, "$1")] = read(each);
  }
  const arrows = [...holder.querySelectorAll("g.edgeLabels g.edgeLabel")].map(read);
  const paths = holder.querySelectorAll("g.edgePaths path").length;
  const marks = "a, b, code, em, i, img, math, script, strong, svg svg, u";
  const others = [...holder.querySelectorAll(marks)].map((each) => each.outerHTML);
  holder.remove();
  return {nodes, arrows, paths, others};
})(%s)"""


def words(text):
    """A browser shows any white space as one, and no word joiner."""
    return " ".join(text.replace("\u2060", "").split())


def differences(wanted, drawn):
    nodes = {name: words(label) for name, label in drawn["nodes"].items()}
    expected = {name: words(label) for name, label in wanted["nodes"].items()}
    for name in sorted(expected.keys() | nodes.keys()):
        if expected.get(name) != nodes.get(name):
            yield f"node {name}: wanted {expected.get(name)!r}, drawn {nodes.get(name)!r}"
    arrows = sorted(words(label) for label in drawn["arrows"])
    if arrows != sorted(words(label) for label in wanted["arrows"]):
        yield f"arrows: wanted {wanted['arrows']!r}, drawn {drawn['arrows']!r}"
    if drawn["paths"] != len(wanted["arrows"]):
        yield f"{drawn['paths']} arrows are drawn, of {len(wanted['arrows'])}"
    for each in drawn["others"]:
        yield f"a label became an element: {each}"


def main():
    graphs = [json.loads(line) for line in sys.stdin.buffer.read().split(b"\n") if line]
    bad = [] if graphs else ["there is no graph"]
    with browser.Chromium() as chromium:
        tab = chromium.open("about:blank")
        tab.value(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8") + "; 0")
        tab.value('mermaid.initialize({startOnLoad: false}); 0')
        for each in graphs:
            try:
                bad += differences(each, tab.value(DRAW % json.dumps(each["graph"])))
            except RuntimeError as e:
                bad.append(str(e))
    for each in bad:
        print(f"mermaid: {each}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
