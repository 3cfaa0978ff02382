// The live graph: what messages go from whom to whom, how many and how well.

import {drawing, element, setAttribute, setText, show} from "./dom.js";
import {count, rate} from "./format.js";
import {layout} from "./layout.js";

const BOX = {width: 134, height: 46};
const BAR = BOX.width - 25;  // how full the mailbox is
const BAR_PLACE = {x: 15, y: BOX.height - 7, height: 3, rx: 1.5};
const MOST = 120;  // boxes that are drawn
const LEAST_SCALE = 0.84;

export class Graph {
  // `reveal(name)` shows a component in the table.
  constructor({frame, summary, text}, reveal) {
    this.frame = frame;
    this.summary = summary;
    this.text = text;
    this.reveal = reveal;
    this.edges = drawing("g", {"aria-hidden": "true"});
    this.boxes = drawing("g");
    this.svg = drawing("svg", {role: "group", "aria-label": "Graph of the components"},
      this.edges, this.boxes);
    frame.append(this.svg);
    new ResizeObserver(() => this.model && this.show(this.model)).observe(frame);
  }

  show(model) {
    this.model = model;
    const {nodes, edges, left} = chosen(model);
    const keys = new Map(nodes.map((node) => [node.id, node.key]));
    const drawn = edges.map((edge, i) => ({
      ...edge, key: `${keys.get(edge.from)}\n${edge.to ? keys.get(edge.to) : "nobody"}\n${i}`,
    }));
    this.place(nodes, drawn);
    show(this.edges, drawn, (edge) => edge.key, makeEdge,
      (node, edge) => fillEdge(node, edge, this.paths.get(edge.key)));
    show(this.boxes, nodes, (node) => node.key, (node) => this.makeBox(node),
      (box, node) => fillBox(box, node, model.byName.get(node.name), this.places.get(node.key)));
    this.say(model, drawn, left);
  }

  // Anew only if other boxes or edges are there, or another width.
  place(nodes, edges) {
    const width = this.frame.clientWidth;
    const room = width - 28;  // without the padding
    const vertical = width < 560;
    const shape = JSON.stringify([vertical, Math.round(width / 8), nodes.map((node) => node.key),
      edges.map((edge) => edge.key)]);
    if (shape === this.shape) return;
    this.shape = shape;
    const keyOf = new Map(nodes.map((node) => [node.id, node.key]));
    // A sender that is bound to nothing has an edge to an empty place.
    const ends = edges.map((edge) => ({
      from: keyOf.get(edge.from), to: edge.to ? keyOf.get(edge.to) : `nobody ${edge.key}`,
    }));
    const all = [...nodes.map((node) => ({id: node.key})),
      ...ends.filter((each) => each.to.startsWith("nobody ")).map((each) => ({id: each.to}))];
    const most = vertical ? 46 : 110;
    let made;
    for (let layerGap = most; ; layerGap -= 12) {
      made = layout(all, ends, {box: BOX, gap: vertical ? 12 : 14, layerGap, vertical});
      if (vertical || made.width <= room - 4 || layerGap <= 44) break;
    }
    this.places = made.boxes;
    this.paths = new Map(edges.map((edge, i) => [edge.key, made.paths[i]]));
    this.vertical = vertical;
    for (const path of this.paths.values()) path.vertical = vertical;
    const size = {width: Math.ceil(made.width) + 4, height: Math.ceil(made.height) + 4};
    setAttribute(this.svg, "viewBox", `-2 -2 ${size.width} ${size.height}`);
    // A little too wide: smaller. Much too wide: the frame scrolls.
    const scale = Math.min(1, Math.max(LEAST_SCALE, room / size.width));
    setAttribute(this.svg, "width", Math.floor(size.width * scale));
    setAttribute(this.svg, "height", Math.ceil(size.height * scale));
    if (vertical) this.frame.scrollLeft = (size.width - room) / 2;
  }

  makeBox(node) {
    const link = drawing("a", {class: "box", href: `#${encodeURIComponent(node.name)}`});
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.reveal(link.component);
    });
    link.shape = drawing("rect", {class: "shape", rx: 6, ...BOX});
    link.level = drawing("rect",
      {class: "level", width: 4, height: BOX.height - 12, x: 5, y: 6, rx: 2});
    link.track = drawing("rect", {class: "track", width: BAR, ...BAR_PLACE});
    link.bar = drawing("rect", {class: "full", ...BAR_PLACE});
    link.first = drawing("text", {x: 15, y: 18, class: "title"});
    link.second = drawing("text", {x: 15, y: 32, class: "second"});
    link.about = drawing("title");
    link.append(link.about, link.shape, link.level, link.track, link.bar, link.first,
      link.second);
    return link;
  }

  say(model, edges, left) {
    const unheard = edges.filter((edge) => !edge.received).length;
    const failing = edges.filter((edge) => edge.failed_rate > 0).length;
    setText(this.summary, !model.nodes.length ? "Nothing is there to draw."
      : [`${count(model.nodes.length)} components`, `${count(model.edges.length)} edges`,
        failing && `${failing} with failures`, unheard && `${unheard} that nobody receives`,
        left && `drawn are the ${count(model.nodes.length - left)} with most trouble and their`
          + " neighbours",
      ].filter(Boolean).join(", "));
    show(this.text, edges, (edge) => edge.key, () => element("li"),
      (item, edge) => setText(item, sentence(edge)));
  }
}

// All, or those in most trouble and what they are joined to.
function chosen({nodes, edges, byName}) {
  if (nodes.length <= MOST) return {nodes, edges, left: 0};
  const weight = (node) => byName.get(node.name)?.trouble ?? 0;
  const sorted = [...nodes].sort((a, b) => weight(b) - weight(a));
  const ids = new Set();
  for (const node of sorted) {
    if (ids.size >= MOST) break;
    ids.add(node.id);
    for (const edge of edges) {
      if (ids.size >= MOST) break;
      if (edge.from === node.id && edge.to) ids.add(edge.to);
      if (edge.to === node.id) ids.add(edge.from);
    }
  }
  return {
    nodes: nodes.filter((node) => ids.has(node.id)),
    edges: edges.filter((edge) => ids.has(edge.from) && (!edge.to || ids.has(edge.to))),
    left: nodes.length - ids.size,
  };
}

function sentence(edge) {
  const {fromName: from, toName: to, messages} = edge;
  if (!to) return `${from} is bound to nothing`;
  return [`${from} to ${to}${messages.length ? ` (${messages.join(", ")})` : ""}: `,
    `${rate(edge.offered_rate)} messages a second`,
    edge.failed_rate > 0 ? `, ${rate(edge.failed_rate)} fail` : "",
    edge.received ? "" : ", nobody receives them",
    edge.shared ? "; these are all that the receiver gets, also from others" : ""].join("");
}

function makeEdge() {
  const group = drawing("g", {class: "edge"});
  group.about = drawing("title");
  group.line = drawing("path", {class: "way"});
  group.head = drawing("path", {class: "head"});
  group.label = drawing("text", {class: "label"});
  group.append(group.about, group.line, group.head, group.label);
  return group;
}

function fillEdge(group, edge, path) {
  setAttribute(group, "class", `edge ${edge.level}${edge.received ? "" : " unheard"}`);
  setText(group.about, sentence(edge));
  const width = Math.min(4.5, 1.25 + 0.8 * Math.log10(1 + edge.offered_rate));
  group.line.style.strokeWidth = `${width.toFixed(2)}px`;
  if (group.path !== path) {
    group.path = path;
    setAttribute(group.line, "d", curve(path));
    setAttribute(group.head, "d", arrow(path));
    const tip = path.at(-1);
    const place = !edge.to && path.vertical
      ? {x: tip.x, y: tip.y + 14, "text-anchor": "middle"}
      : !edge.to ? {x: tip.x + 6, y: tip.y + 4, "text-anchor": "start"}
      : path.vertical ? {x: tip.x + 6, y: tip.y - 6, "text-anchor": "start"}
        : {x: tip.x - 9, y: tip.y - 6, "text-anchor": "end"};
    for (const [name, value] of Object.entries(place)) setAttribute(group.label, name, value);
  }
  setText(group.label, !edge.to ? "bound to nothing"
    : edge.offered_rate > 0 ? `${rate(edge.offered_rate)}/s` : "");
}

// From point to point, leaving and arriving along the layers. The head takes the last 7 px.
function curve(path) {
  const last = path.length - 1;
  const end = back(path, 6);
  const all = [...path.slice(0, last), end];
  let text = `M${all[0].x} ${all[0].y}`;
  for (let i = 1; i < all.length; ++i) {
    const [a, b] = [all[i - 1], all[i]];
    const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    if (i % 2 === 0) text += `L${b.x} ${b.y}`;  // through the layer of a bend
    else if (path.vertical) text += `C${a.x} ${y} ${b.x} ${y} ${b.x} ${b.y}`;
    else text += `C${x} ${a.y} ${x} ${b.y} ${b.x} ${b.y}`;
  }
  return text;
}

function back(path, distance) {
  const [before, tip] = path.slice(-2);
  const along = path.vertical ? "y" : "x";
  const way = Math.sign(tip[along] - before[along]) || 1;
  return {...tip, [along]: tip[along] - way * distance};
}

function arrow(path) {
  const tip = path.at(-1);
  const foot = back(path, 8);
  const [dx, dy] = path.vertical ? [4.5, 0] : [0, 4.5];
  return `M${tip.x} ${tip.y}L${foot.x - dx} ${foot.y - dy}L${foot.x + dx} ${foot.y + dy}Z`;
}

function fillBox(box, node, row, place) {
  box.component = row ? row.name : null;
  const outside = node.hosted ? "" : " outside";
  setAttribute(box, "class", `box ${row ? row.level : "part"}${outside}`);
  setAttribute(box, "href", row ? `#${encodeURIComponent(row.name)}` : null);
  setAttribute(box, "transform", `translate(${place.x} ${place.y})`);
  setText(box.first, short(node.title, 17));
  setText(box.second, row ? figures(row)
    : short(node.detail ? `${node.kind}, ${node.detail}` : node.kind, 20));
  setText(box.about, `${node.title}, ${node.kind}${row ? `: ${longFigures(row)}` : ""}`);
  const full = row && row.capacity ? Math.min(1, row.waiting / row.capacity) : 0;
  box.track.style.display = row && row.capacity ? "" : "none";
  setAttribute(box.bar, "width", (BAR * full).toFixed(1));
  setAttribute(box.bar, "class", full >= 0.8 ? "full high" : "full");
}

function figures(row) {
  const waits = row.capacity ? ` · ${count(row.waiting)} wait` : "";
  return `${rate(row.rates.handled)}/s${row.stalled ? " · stuck" : waits}`;
}

function longFigures(row) {
  return [`${rate(row.rates.handled)} handled a second, ${rate(row.rates.failed)} failed, `
    + `${count(row.waiting)} of ${count(row.capacity)} wait`, ...row.words].join("; ");
}

function short(text, most) {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}
