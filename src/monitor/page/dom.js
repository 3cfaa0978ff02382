// Making and changing elements. Texts become text nodes, never HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

export function element(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function drawing(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

// Only this function changes the text of such an element.
export function setText(node, text) {
  if (node.text_ === text) return;
  node.text_ = text;
  node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value == null || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// Has exactly one child for each item, in their order: those that are there are changed and moved.
// `make(item)` gives an element, `change(element, item)` shows the item in it. The focus stays.
export function show(parent, items, keyOf, make, change) {
  const there = parent.shown ??= new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const gone = new Set(there.keys());
  let next = parent.firstElementChild;
  const met = new Set();
  for (const item of items) {
    let key = `${keyOf(item)}`;
    while (met.has(key)) key += "\n";  // each of several that are called the same is shown
    met.add(key);
    let child = there.get(key);
    if (!child) there.set(key, child = make(item));
    gone.delete(key);
    change(child, item);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const key of gone) {
    there.get(key).remove();
    there.delete(key);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) {
    focused.focus({preventScroll: true});
  }
}

// Has a screen reader say this: the region is a log.
export function say(log, text) {
  log.append(element("p", {text}));
  while (log.childElementCount > 4) log.firstElementChild.remove();
}

// A line of the last five minutes, as a small picture without words: what it says is beside it.
export class Sparkline {
  constructor(width, height, names) {
    this.width = width;
    this.height = height;
    this.lines = names.map((name) => drawing("path", {class: `line ${name}`}));
    this.area = drawing("path", {class: `area ${names[0]}`});
    this.element = drawing("svg", {
      class: "sparkline", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true",
      preserveAspectRatio: "none",
    }, this.area, ...this.lines);
  }

  // `series`: for each line, a value for each point of time; null where there is none.
  draw(series) {
    const most = series.map((values) => Math.max(0, ...values.map((value) => value ?? 0)));
    const top = Math.max(1e-9, ...most);
    setAttribute(this.element, "class", top > 1e-9 ? "sparkline" : "sparkline quiet");
    const at = (value) => (this.height - 1 - (value / top) * (this.height - 2.5)).toFixed(1);
    series.forEach((values, i) => {
      const step = this.width / Math.max(1, values.length - 1);
      if (i > 0 && most[i] === 0) {  // only of interest if there is one
        setAttribute(this.lines[i], "d", "");
        return;
      }
      let line = "";
      let area = "";
      let begin = null;
      const close = (x) => {
        if (begin != null) area += `L${x} ${this.height}L${begin} ${this.height}Z`;
        begin = null;
      };
      values.forEach((value, n) => {
        const x = (n * step).toFixed(1);
        if (value == null) {
          close(((n - 1) * step).toFixed(1));
          return;
        }
        line += `${begin == null ? "M" : "L"}${x} ${at(value)}`;
        area += begin == null ? `M${x} ${at(value)}` : `L${x} ${at(value)}`;
        begin ??= x;
      });
      close(this.width);
      setAttribute(this.lines[i], "d", line);
      if (i === 0) setAttribute(this.area, "d", area);
    });
  }
}
