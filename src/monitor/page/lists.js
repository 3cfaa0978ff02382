// All that stands beside the graph and the table: figures, warnings, executors, failures, dead
// letters, links of bridges.

import {Sparkline, element, say, setAttribute, setText, show} from "./dom.js";
import {ago, clock, count, duration, rate, whole} from "./format.js";

const TILES = [
  {title: "Handled", text: (sums) => `${rate(sums.handled)}/s`, line: "handled"},
  {title: "Failed", text: (sums) => `${rate(sums.failed)}/s`, line: "failed", alarms: true},
  {title: "Dropped", text: (sums) => `${rate(sums.lost)}/s`, line: "lost", alarms: true},
  {title: "Waiting", text: (sums) => count(sums.waiting), line: "waiting"},
  {title: "Oldest", text: (sums) => (sums.waiting ? duration(sums.oldest) : "–"), line: "oldest"},
  {title: "In flight", text: (sums) => count(sums.inFlight), line: "inFlight"},
];

export class Tiles {
  constructor(list) {
    this.tiles = TILES.map((tile) => {
      const value = element("dd");
      const line = new Sparkline(150, 22, [tile.line]);
      const title = element("dt", {text: tile.title});
      const box = element("div", {class: "tile"}, title, value, line.element);
      list.append(box);
      return {...tile, value, picture: line, box};
    });
  }

  show(model) {
    for (const tile of this.tiles) {
      setText(tile.value, tile.text(model.sums));
      const bad = tile.alarms && model.sums[tile.line] > 0;
      setAttribute(tile.box, "class", bad ? "tile bad" : "tile");
      tile.picture.draw([model.total.line(tile.line, model.status.time)]);
    }
  }
}

// A link to the row of a component; only its name where there is no such row.
function nameLink(reveal) {
  const button = element("button", {
    type: "button", class: "to", onclick: () => reveal(button.textContent),
  });
  return button;
}

function showName(button, name, model) {
  setText(button, name);
  button.hidden = !name;
  button.disabled = !model.byName.has(name);
}

// What needs a person at once: executors that do not answer.
export class Stalled {
  constructor(box) {
    this.box = box;
  }

  show(model) {
    const {stalled} = model.status;
    show(this.box, stalled, (each) => each.executor, () => makeStalled(), (node, each) => {
      setText(node.first, `${each.executor} has not answered`);
      setText(node.age, ` for ${whole(each.seconds)}`);
      const running = each.running.map((one) =>
        `${one.handler} of ${one.component}${one.count > 1 ? `, ${count(one.count)} calls` : ""}`);
      setText(node.second, [
        running.length ? `Stuck there: ${running.join("; ")}.` : "No measured handler runs there.",
        each.components.length ? `Components on it: ${each.components.join(", ")}.` : "",
      ].join(" "));
    });
    this.box.hidden = !stalled.length;
  }
}

// Its age is no part of what is spoken when it appears.
function makeStalled() {
  const node = element("div", {class: "stalled"});
  node.first = element("span");
  node.age = element("span", {"aria-hidden": "true"});
  node.second = element("p");
  node.append(element("strong", {}, node.first, node.age), node.second);
  return node;
}

export class Warnings {
  constructor({list, none, spoken, badge}, reveal) {
    Object.assign(this, {list, none, spoken, badge, reveal});
    this.known = null;
  }

  show(model) {
    const {warnings, time} = model.status;
    const keyOf = (each) => `${each.kind}\n${each.component}\n${each.since}`;
    show(this.list, warnings, keyOf, () => this.make(), (item, each) => {
      showName(item.name, each.component, model);
      setText(item.sentence, each.text);
      setText(item.age, `for ${whole(time - each.since)}`);
    });
    this.none.hidden = warnings.length > 0;
    setText(this.badge, warnings.length ? count(warnings.length) : "");
    this.badge.hidden = !warnings.length;
    this.speak(warnings, keyOf);
  }

  make() {
    const item = element("li");
    item.name = nameLink(this.reveal);
    item.sentence = element("span", {class: "sentence"});
    item.age = element("span", {class: "age"});
    item.append(element("span", {class: "mark", "aria-hidden": "true", text: "▲"}),
      element("div", {}, item.name, " ", item.sentence), item.age);
    return item;
  }

  // Says each new warning once; the first ones are on the page when it is read.
  speak(warnings, keyOf) {
    const keys = new Set(warnings.map(keyOf));
    if (this.known) {
      const fresh = warnings.filter((each) => !this.known.has(keyOf(each)));
      for (const each of fresh.slice(0, 3)) {
        say(this.spoken, `Warning: ${each.component} ${each.text}`);
      }
      if (this.known.size && !keys.size) say(this.spoken, "No more warnings");
    }
    this.known = keys;
  }
}

export class Executors {
  constructor(list) {
    this.list = list;
  }

  show(model) {
    show(this.list, model.executors, (each) => each.name, () => {
      const item = element("li");
      item.name = element("span", {class: "title"});
      item.answer = element("span", {class: "answer"});
      item.use = element("span", {class: "age"});
      item.append(element("span", {class: "mark", "aria-hidden": "true"}), item.name, item.answer,
        item.use);
      return item;
    }, (item, each) => {
      setAttribute(item, "class", each.stalled ? "bad" : "good");
      setText(item.firstChild, each.stalled ? "◆" : "●");
      setText(item.name, each.name || "without an executor");
      setText(item.answer,
        each.stalled ? `no answer for ${whole(each.stalled.seconds)}` : "answers");
      setText(item.use, `${count(each.components)} ${each.components === 1 ? "component"
        : "components"}, ${count(each.inFlight)} in flight`);
    });
  }
}

export class Failures {
  constructor({list, none, badge}, reveal) {
    Object.assign(this, {list, none, badge, reveal});
  }

  show(model) {
    const {failures, time} = model.status;
    show(this.list, failures, (each) => each.id, () => {
      const row = element("tr");
      row.when = element("time");
      row.name = nameLink(this.reveal);
      row.message = element("td", {class: "message"});
      row.error = element("span", {class: "sentence"});
      row.about = element("span", {class: "second"});
      row.append(element("td", {class: "when"}, row.when),
        element("td", {class: "who"}, row.name), row.message,
        element("td", {class: "error"}, row.error, row.about));
      return row;
    }, (row, each) => {
      setText(row.when, clock(each.time * 1000));
      setAttribute(row.when, "datetime", new Date(each.time * 1000).toISOString());
      setAttribute(row.when, "title", ago(Math.max(0, time - each.time)));
      showName(row.name, each.component, model);
      setText(row.message, each.message || "–");
      setText(row.error, each.text);
      setText(row.about, [each.handler, each.repeated && "another attempt follows"]
        .filter(Boolean).join(" · "));
    });
    this.none.hidden = failures.length > 0;
    this.list.parentElement.hidden = !failures.length;
    const newest = failures[0]?.id ?? 0;
    setText(this.badge, !failures.length ? ""
      : newest > failures.length ? `the last ${count(failures.length)} of ${count(newest)}`
        : count(failures.length));
  }
}

// Dead letters; with buttons only if the server allows actions.
export class Letters {
  constructor({list, none, badge, said}, connection, reveal) {
    Object.assign(this, {list, none, badge, said, connection, reveal});
  }

  show(model) {
    const {dead_letters: dead, allow_actions: allowed, time} = model.status;
    show(this.list, dead.letters, (each) => each.id, (each) => this.make(each.id), (item, each) => {
      showName(item.name, each.component, model);
      setText(item.message, each.message);
      setText(item.reason, each.reason);
      const attempts = each.attempts === 0 ? "not attempted"
        : `${count(each.attempts)} ${each.attempts === 1 ? "attempt" : "attempts"}`;
      setText(item.about, `${each.handler} · ${attempts} · ${ago(Math.max(0, time - each.time))}`
        + (each.replaying ? " · is being replayed" : ""));
      item.actions.hidden = !allowed;
      for (const button of item.actions.children) {
        button.disabled = item.busy || !each.replayable;
        setAttribute(button, "aria-label",
          `${button.textContent} the ${each.message} of ${each.component}`);
      }
    });
    this.none.hidden = dead.kept > 0;
    setText(this.badge, !dead.added ? "" : [`${count(dead.kept)} kept`,
      dead.replayed && `${count(dead.replayed)} replayed`,
      dead.discarded && `${count(dead.discarded)} discarded`,
      dead.dropped && `${count(dead.dropped)} dropped`].filter(Boolean).join(", "));
  }

  make(id) {
    const item = element("li");
    item.name = nameLink(this.reveal);
    item.message = element("span", {class: "message"});
    item.reason = element("span", {class: "sentence"});
    item.about = element("span", {class: "second"});
    const button = (title, act) => element("button", {type: "button", text: title, onclick: act});
    const replay = button("Replay", () => this.act(item, "dead-letters/replay", id, "Replayed."));
    const discard = button("Discard", () => {
      if (discard.sure) this.act(item, "dead-letters/discard", id, "Discarded.");
      sure(discard, !discard.sure);
    });
    discard.addEventListener("blur", () => sure(discard, false));
    item.actions = element("div", {class: "actions"}, replay, discard);
    item.append(element("div", {}, item.message, " ", item.name, item.reason, item.about),
      item.actions);
    return item;
  }

  async act(item, path, id, done) {
    item.busy = true;
    for (const button of item.actions.children) button.disabled = true;
    const {failure} = await this.connection.post(path, {ids: [id]});
    item.busy = false;
    setText(this.said, failure ? `Not done: ${failure}` : done);
  }
}

// A message that is discarded is gone: the button is pressed twice.
function sure(button, is) {
  button.sure = is;
  setText(button, is ? "Really discard?" : "Discard");
}

export class Links {
  constructor(section, list) {
    Object.assign(this, {section, list});
  }

  show(model) {
    const {links} = model.status;
    this.section.hidden = !links.length;
    show(this.list, links, (each) => `${each.bridge}\n${each.name}`, () => {
      const item = element("li");
      item.name = element("span", {class: "title"});
      item.figures = element("span", {class: "figures"});
      item.append(item.name, item.figures);
      return item;
    }, (item, each) => {
      setText(item.name, `${each.bridge} · ${each.name}`);
      const words = (figures) => Object.entries(figures).filter(([, value]) => value > 0)
        .map(([name, value]) => `${name.replaceAll("_", " ")} ${count(value)}`);
      const all = [...words(each.now).map((text) => `now ${text}`), ...words(each.totals)];
      setText(item.figures, all.join(", ") || "nothing yet");
    });
  }
}
