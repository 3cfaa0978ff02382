// The table of components: sorted by trouble unless asked otherwise, with details on demand.

import {Sparkline, element, setAttribute, setText, show} from "./dom.js";
import {Details} from "./details.js";
import {NOTHING, ago, count, duration, quantile, rate} from "./format.js";
import {BAD, GOOD} from "./model.js";

const MOST = 200;  // rows that are shown unless all are asked for
const WORDS = 2;   // about trouble, below the name

const breaker = (row) => row.breakers.find((each) => each.state !== "closed") ?? row.breakers[0];
const BREAKERS = {closed: "closed", open: "open", half_open: "half open", isolated: "isolated"};
const share = (row) => (row.capacity ? row.waiting / row.capacity : 0);
const of = (value, limit) => (limit ? [count(value), `of ${count(limit)}`] : [count(value)]);
const alarm = (value) => (value > 0 ? BAD : null);

// value: to sort by, null is always last. show: the texts of one or two lines. level: how it looks.
// quiet: whether there is nothing to look at.
const COLUMNS = [
  {key: "executor", title: "Executor", text: true, value: (row) => row.executor,
    show: (row) => [row.executor || NOTHING, row.stalled && "no answer"],
    level: (row) => row.stalled && BAD},
  {key: "waiting", group: "Mailbox", title: "Waiting", value: share,
    show: (row) => of(row.waiting, row.capacity), fill: share,
    level: (row) => (share(row) >= 0.8 ? "warn" : null), quiet: (row) => row.waiting === 0},
  {key: "oldest", group: "Mailbox", title: "Oldest", value: (row) => row.oldest,
    show: (row) => [row.waiting || row.oldest ? duration(row.oldest) : NOTHING],
    quiet: (row) => !row.oldest},
  {key: "blocked", group: "Mailbox", title: "Senders", about: "Blocked senders",
    value: (row) => row.blocked_senders, show: (row) => [count(row.blocked_senders)],
    level: (row) => (row.blocked_senders ? "warn" : null), quiet: (row) => !row.blocked_senders},
  {key: "flight", title: "In flight", value: (row) => row.in_flight,
    show: (row) => of(row.in_flight, row.limit), quiet: (row) => !row.in_flight},
  {key: "offered", group: "Messages a second", title: "Offered",
    value: (row) => row.rates.offered, show: (row) => [rate(row.rates.offered)],
    quiet: (row) => !row.rates.offered},
  {key: "handled", group: "Messages a second", title: "Handled",
    value: (row) => row.rates.handled, show: (row) => [rate(row.rates.handled)],
    quiet: (row) => !row.rates.handled},
  {key: "failed", group: "Messages a second", title: "Failed",
    value: (row) => row.rates.failed, show: (row) => [rate(row.rates.failed)],
    level: (row) => alarm(row.rates.failed), quiet: (row) => !row.rates.failed},
  {key: "dropped", group: "Messages a second", title: "Dropped",
    about: "Dropped, rejected, abandoned", value: (row) => row.lost,
    show: (row) => [rate(row.lost)], level: (row) => alarm(row.lost), quiet: (row) => !row.lost},
  {key: "wait", group: "p50, p99", title: "Waits", about: "Time in the mailbox, p50 and p99",
    value: (row) => row.wait?.p99 ?? null, show: (row) => quantiles(row.wait),
    quiet: (row) => !row.wait},
  {key: "handle", group: "p50, p99", title: "Handling", about: "Time of handling, p50 and p99",
    value: (row) => row.handle?.p99 ?? null, show: (row) => quantiles(row.handle),
    quiet: (row) => !row.handle},
  {key: "retries", group: "Trouble", title: "Retries", value: (row) => row.rates.retries,
    show: (row) => [row.totals.retries ? `${rate(row.rates.retries)}/s` : NOTHING,
      row.totals.retries ? count(row.totals.retries) : null],
    quiet: (row) => !row.rates.retries},
  {key: "breaker", group: "Trouble", title: "Breaker", text: true,
    value: (row) => breaker(row)?.state ?? null,
    show: (row) => [BREAKERS[breaker(row)?.state] ?? NOTHING, breaker(row)?.name],
    level: (row) => ({open: BAD, isolated: BAD, half_open: "warn"}[breaker(row)?.state]),
    quiet: (row) => !breaker(row)},
  {key: "letters", group: "Trouble", title: "Dead", about: "Dead letters",
    value: (row) => row.dead_letters, show: (row) => [count(row.dead_letters)],
    level: (row) => (row.dead_letters ? "warn" : null), quiet: (row) => !row.dead_letters},
  {key: "error", group: "Trouble", title: "Last error", text: true,
    value: (row) => (row.last_error ? -row.errorAge : null),
    show: (row) => (row.last_error ? [row.last_error.text, ago(row.errorAge)] : [NOTHING]),
    quiet: (row) => !row.last_error},
];

const NAME = {key: "name", title: "Component", text: true, value: (row) => row.name};
const ORDERS = [
  {key: "trouble", title: "Trouble", value: (row) => row.trouble},
  NAME,
  {key: "kind", title: "Kind", text: true, value: (row) => row.kind},
  ...COLUMNS,
];

function quantiles(times) {
  return times ? [quantile(times.p50), quantile(times.p99)] : [NOTHING];
}

export class Table {
  constructor(table, controls) {
    this.controls = controls;
    this.sort = {key: "trouble", down: true};
    this.open = new Set();
    this.all = false;
    this.body = element("tbody", {role: "rowgroup"});
    this.more = controls.more;
    this.headers = new Map();
    table.append(this.head(), this.body);
    this.prepare(controls);
    this.body.addEventListener("keydown", (event) => this.step(event));
  }

  head() {
    const groups = element("tr", {role: "row", class: "groups"}, blank(2));
    const names = element("tr", {role: "row"}, this.header(NAME),
      element("th", {role: "columnheader", scope: "col", class: "line"}, "5 minutes"));
    for (let at = 0; at < COLUMNS.length;) {
      const {group} = COLUMNS[at];
      let end = at + 1;
      while (end < COLUMNS.length && group && COLUMNS[end].group === group) ++end;
      groups.append(group ? element("th", {
        role: "columnheader", scope: "colgroup", colspan: end - at, class: "group", text: group,
      }) : blank(1));
      for (; at < end; ++at) names.append(this.header(COLUMNS[at]));
    }
    return element("thead", {role: "rowgroup"}, groups, names);
  }

  header(column) {
    const button = element("button", {
      type: "button", title: column.about ?? null, onclick: () => this.choose(column.key),
    }, element("span", {text: column.title}),
    element("span", {class: "arrow", "aria-hidden": "true"}));
    const header = element("th", {
      role: "columnheader", scope: "col", class: column.text ? "text" : "number",
    }, button);
    this.headers.set(column.key, header);
    return header;
  }

  prepare({filter, order, direction, more}) {
    for (const each of ORDERS) {
      order.append(element("option", {value: each.key, text: each.about ?? each.title}));
    }
    order.addEventListener("change", () => this.choose(order.value, true));
    direction.addEventListener("click", () => {
      this.sort.down = !this.sort.down;
      this.update();
    });
    filter.addEventListener("input", () => this.update());
    more.addEventListener("click", () => {
      this.all = !this.all;
      this.update();
    });
  }

  // First the way that is most of use, then the other, then by trouble again.
  choose(key, anew = false) {
    const first = !ORDERS.find((each) => each.key === key).text;
    if (anew || this.sort.key !== key) this.sort = {key, down: first};
    else if (this.sort.down === first) this.sort.down = !first;
    else this.sort = {key: "trouble", down: true};
    this.update();
  }

  // The arrows go from row to row.
  step(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...this.body.querySelectorAll("button.name")];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    buttons[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  }

  show(model) {
    this.model = model;
    this.update();
  }

  update() {
    if (!this.model) return;
    const rows = this.sorted(this.model.rows.filter((row) => this.matches(row)));
    const shown = this.all ? rows : rows.slice(0, MOST);
    const items = shown.flatMap((row) =>
      (this.open.has(row.name) ? [{row}, {row, details: true}] : [{row}]));
    show(this.body, items, (item) => `${item.details ? "details" : "row"} ${item.row.name}`,
      (item) => (item.details ? this.makeDetails() : this.make(item.row)),
      (node, item) => (item.details ? node.details.show(item.row, this.model)
        : this.fill(node, item.row)));
    this.say(rows.length);
  }

  say(found) {
    const {filter, order, direction, more, state} = this.controls;
    const {key, down} = this.sort;
    for (const [name, header] of this.headers) {
      setAttribute(header, "aria-sort", name !== key ? null : down ? "descending" : "ascending");
      setText(header.querySelector(".arrow"), name !== key ? "" : down ? "▼" : "▲");
    }
    if (order.value !== key) order.value = key;
    setText(direction, down ? "▼" : "▲");
    setAttribute(direction, "aria-label",
      down ? "descending; make ascending" : "ascending; make descending");
    const total = this.model.rows.length;
    setText(state, !total ? "The host has no components." : !filter.value ? ""
      : found ? `${count(found)} of ${count(total)} components`
        : `None of the ${count(total)} components matches “${filter.value}”.`);
    more.hidden = found <= MOST;
    setText(more, this.all ? `Show the first ${MOST} only` : `Show all ${count(found)}`);
  }

  matches(row) {
    const words = this.controls.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = [row.name, row.kind, row.executor, row.state, ...row.words,
      row.last_error?.text ?? "", ...row.handlers.flatMap((each) => [each.message, each.handler])]
      .join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  sorted(rows) {
    const {value} = ORDERS.find((each) => each.key === this.sort.key);
    const sign = this.sort.down ? -1 : 1;
    const keyed = rows.map((row) => ({row, key: value(row)}));
    keyed.sort(({key: a}, {key: b}) => {
      if (a == null || b == null) return (a == null) - (b == null);
      if (a === b) return 0;
      return sign * (a < b ? -1 : 1);
    });
    return keyed.map((each) => each.row);
  }

  make(row) {
    const node = element("tr", {role: "row"});
    node.mark = element("span", {class: "mark", "aria-hidden": "true"});
    node.name = element("span", {class: "title", text: row.name});
    node.button = element("button", {
      type: "button", class: "name", "aria-expanded": "false", onclick: () => this.toggle(row.name),
    }, node.mark, node.name);
    node.kind = element("span", {class: "second"});
    node.line = new Sparkline(84, 26, ["handled", "failed"]);
    node.append(
      element("th", {role: "rowheader", scope: "row"}, node.button, node.kind),
      element("td", {role: "cell", class: "line", "data-title": "5 minutes"}, node.line.element));
    node.fields = COLUMNS.map((column) => {
      const cell = element("td", {role: "cell", "data-title": column.title}, element("span"));
      node.append(cell);
      return cell;
    });
    return node;
  }

  toggle(name) {
    if (!this.open.delete(name)) this.open.add(name);
    this.update();
  }

  fill(node, row) {
    setAttribute(node, "class", row.level);
    setText(node.mark, row.level === GOOD ? "●" : row.level === BAD ? "◆" : "▲");
    const more = row.words.length > WORDS ? ` and ${row.words.length - WORDS} more` : "";
    const trouble = row.words.slice(0, WORDS).join(", ") + more;
    setText(node.kind, [row.kind, row.state === "open" ? null : row.state, trouble]
      .filter(Boolean).join(" · "));
    setAttribute(node.button, "aria-expanded", this.open.has(row.name));
    const history = this.model.history(row.name);
    const {time} = this.model.status;
    node.line.draw([history.line("handled", time), history.line("failed", time)]);
    COLUMNS.forEach((column, i) => fillCell(node.fields[i], column, row));
  }

  makeDetails() {
    const details = new Details();
    const node = element("tr", {role: "row", class: "details"},
      element("td", {role: "cell", colspan: COLUMNS.length + 2}, details.element));
    node.details = details;
    return node;
  }

  // Opens the details of a component and goes there.
  reveal(name) {
    const filter = this.controls.filter;
    if (filter.value) filter.value = "";
    this.all ||= this.model.rows.length > MOST;
    this.open.add(name);
    this.update();
    const row = this.body.shown.get(`row ${name}`);
    row?.button.focus({preventScroll: true});
    row?.scrollIntoView({block: "center"});
  }
}

function blank(span) {
  return element("td", {role: "cell", colspan: span});
}

function fillCell(cell, column, row) {
  const [first, second] = column.show(row);
  const level = column.level?.(row) ?? (column.quiet?.(row) ? "quiet" : "");
  const look = column.text ? "text" : "number";
  setAttribute(cell, "class", `${column.key} ${look} ${level}`.trimEnd());
  setText(cell.firstChild, first);
  if (column.key === "error") setAttribute(cell, "title", row.last_error?.text ?? null);
  if (second && !cell.second) cell.append(cell.second = element("span", {class: "second"}));
  if (cell.second) setText(cell.second, second ?? "");
  if (column.fill) {
    if (!cell.bar) {
      cell.bar = element("meter", {class: "fill", min: 0, max: 1, "aria-hidden": "true"});
      cell.append(cell.bar);
    }
    cell.bar.value = column.fill(row);
    cell.bar.hidden = !row.capacity;
  }
}
