// More about one component, below its row: three lines of five minutes, its handlers, its totals.

import {Sparkline, element, setText, show} from "./dom.js";
import {NOTHING, count, duration, quantile, rate} from "./format.js";

const CHARTS = [
  {names: ["handled", "failed"], title: "Handled and failed a second", text: rate},
  {names: ["waiting"], title: "Waiting messages", text: count},
  {names: ["oldest"], title: "Age of the oldest", text: duration},
];

const HANDLERS = [
  ["Message", (each) => each.message || NOTHING],
  ["Handler", (each) => each.handler],
  ["Calls", (each) => count(each.calls)],
  ["A second", (each) => rate(each.rate)],
  ["Running", (each) => (each.running
    ? `${count(each.running)}, for ${duration(each.running_for)}` : "0")],
  ["p50", (each) => (each.handle ? quantile(each.handle.p50) : NOTHING)],
  ["p99", (each) => (each.handle ? quantile(each.handle.p99) : NOTHING)],
];

const TOTALS = ["offered", "accepted", "rejected", "handled", "failed", "dropped", "abandoned",
  "unrouted", "overran", "retries"];

export class Details {
  constructor() {
    this.charts = CHARTS.map((chart) => makeChart(chart));
    this.handlers = element("tbody");
    this.none = element("p", {class: "none", text: "No handler has been called yet."});
    this.table = element("table", {class: "inner"},
      element("caption", {text: "Handlers"}),
      element("thead", {}, element("tr", {}, ...HANDLERS.map(([title], i) =>
        element("th", {scope: "col", class: i < 2 ? "text" : "number", text: title})))),
      this.handlers);
    this.totals = element("dl", {class: "totals"});
    this.executor = element("p", {class: "about"});
    this.element = element("div", {class: "about-component"},
      this.executor,
      element("div", {class: "charts"}, ...this.charts.map((chart) => chart.element)),
      this.table, this.none, element("h4", {text: "Since it was made"}), this.totals);
  }

  show(row, model) {
    const history = model.history(row.name);
    this.charts.forEach((chart) => chart.show(history, model.status.time));
    show(this.handlers, row.handlers, (each) => `${each.message}\n${each.handler}`,
      () => element("tr", {}, ...HANDLERS.map((_, i) =>
        element("td", {class: i < 2 ? "text" : "number"}))),
      (node, each) => HANDLERS.forEach(([, text], i) => setText(node.cells[i], text(each))));
    this.table.hidden = row.handlers.length === 0;
    this.none.hidden = !this.table.hidden;
    const figures = [...TOTALS.map((name) => [name, row.totals[name]]),
      ["scheduled now", row.scheduled]];
    show(this.totals, figures, ([name]) => name,
      ([name]) => element("div", {}, element("dt", {text: name}), element("dd")),
      (node, [, value]) => setText(node.lastChild, count(value)));
    setText(this.executor, [
      ...row.words, `${row.kind} on ${row.executor || "no executor"}`, row.state,
      ...row.breakers.map((each) => `breaker ${each.name}: ${each.state.replace("_", " ")}`),
    ].join(" · "));
  }
}

function makeChart({names, title, text}) {
  const line = new Sparkline(300, 56, names);
  const now = element("span", {class: "now"});
  const most = element("span", {class: "most"});
  return {
    element: element("figure", {class: "chart"},
      element("figcaption", {}, element("span", {text: title}), now, most), line.element),
    show(history, time) {
      const series = names.map((name) => history.line(name, time));
      line.draw(series);
      setText(now, names.map((name, i) => text(series[i].at(-1) ?? 0)).join(" and "));
      setText(most, `at most ${text(Math.max(0, ...series[0]))}`);
    },
  };
}
