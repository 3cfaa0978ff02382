// The page of msgbus::monitor: reads the server's events and shows them. Plain JavaScript, no other
// code than the files beside this one.

import {Connection} from "./connection.js";
import {element, say, setAttribute, setText} from "./dom.js";
import {ago, clock, whole} from "./format.js";
import {Graph} from "./graph.js";
import {Executors, Failures, Letters, Links, Stalled, Tiles, Warnings} from "./lists.js";
import {Model} from "./model.js";
import {Table} from "./table.js";
import {prepareTheme} from "./theme.js";

const get = (id) => document.getElementById(id);
const model = new Model();
const connection = new Connection({status: receive, state: changed});
const reveal = (name) => name != null && table.reveal(name);
const table = new Table(get("table"), {
  filter: get("filter"), order: get("order"), direction: get("direction"), more: get("more"),
  state: get("found"),
});
const parts = [
  new Stalled(get("stalled")),
  new Tiles(get("figures")),
  new Warnings({list: get("warnings"), none: get("no-warnings"), spoken: get("spoken"),
    badge: get("warnings-count")}, reveal),
  new Executors(get("executors")),
  new Graph({frame: get("graph"), summary: get("graph-summary"), text: get("graph-text")}, reveal),
  table,
  new Failures({list: get("failures"), none: get("no-failures"), badge: get("failures-count")},
    reveal),
  new Letters({list: get("letters"), none: get("no-letters"), badge: get("letters-count"),
    said: get("letters-said")}, connection, reveal),
  new Links(get("links-section"), get("links")),
];
const LONGEST_REST = 2000;
const STATES = {
  connecting: "Connecting", live: "Live", lost: "Connection lost", token: "Token wanted",
};
let paused = false;
let due = false;
let drawnAt = 0;
let cost = 0;  // in ms, as drawnAt
let lostAt = null;

// Events that came together are drawn once, and a page that takes long to draw is drawn less often.
function receive(status) {
  model.take(status);
  if (paused || due) return;
  due = true;
  const rest = Math.min(LONGEST_REST, drawnAt + 2 * cost - performance.now());
  if (rest > 0) setTimeout(drawNow, rest);
  else queueMicrotask(drawNow);
}

function drawNow() {
  due = false;
  if (paused) return;
  const begin = performance.now();
  draw();
  drawnAt = begin;
  requestAnimationFrame(() => setTimeout(() => {  // when it has been painted
    drawnAt = performance.now();
    cost = drawnAt - begin;
  }));
}

function draw() {
  if (!model.status) return;
  const {status} = model;
  for (const part of parts) part.show(model);
  const title = status.title || location.host;
  setText(get("program"), title);
  const trouble = model.sums.bad + model.sums.warn;
  document.title = `${trouble || status.stalled.length ? "▲ " : ""}${title} – msgbus`;
  setText(get("about"), [
    `msgbus ${status.msgbus}`, `watched for ${whole(status.time - status.since)}`,
    {serving: null, ending: "the host is ending", ended: "the host has ended"}[status.state],
  ].filter(Boolean).join(" · "));
  setAttribute(get("about"), "class", status.state === "serving" ? "" : "ending");
  setText(get("components-count"),
    `${model.rows.length}${trouble ? `, ${trouble} in trouble` : ""}`);
  if (!document.documentElement.dataset.shown) performance.mark("shown");
  document.documentElement.dataset.shown = status.time;
}

function changed(state, since) {
  const wasLost = lostAt != null;
  const before = document.documentElement.dataset.state;
  lostAt = state === "lost" ? lostAt ?? since : null;
  document.documentElement.dataset.state = state;
  get("token-form").hidden = state !== "token";
  if (state === "live" && wasLost) say(get("spoken"), "Connected again");
  if (state === "token") {
    if (before !== state) get("token").focus();
    setText(get("token-said"), connection.token ? "The server has refused this token." : "");
  }
  tell();
}

// Once a second, also without events.
function tell() {
  const {state} = connection;
  setText(get("state"), paused && state === "live" ? "Paused" : STATES[state]);
  const notice = get("notice");
  const restarted = model.restarted && Date.now() - model.restarted < 60_000;
  notice.hidden = state !== "lost" && !restarted;
  setAttribute(notice, "class", state === "lost" ? "notice lost" : "notice");
  setText(get("notice-text"), state === "lost"
    ? `The program does not answer${connection.reason && `: ${connection.reason}`}. `
      + "These are its last figures; the page connects again by itself."
    : restarted ? `The program was started anew at ${clock(model.restarted)}; its totals begin`
      + " again." : "");
  setText(get("notice-age"), state === "lost" ? ` Lost ${ago((Date.now() - lostAt) / 1000)}.` : "");
}

get("pause").addEventListener("click", () => {
  paused = !paused;
  setAttribute(get("pause"), "aria-pressed", paused);
  setText(get("pause"), paused ? "Continue" : "Pause");
  if (!paused) draw();
  tell();
});

get("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  connection.identify(get("token").value.trim());
  setText(get("token-said"), "Trying this token.");
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  event.preventDefault();
  get("filter").focus();
});

get("filter").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  get("filter").value = "";
  table.update();
});

prepareTheme(get("theme"), element);
setInterval(tell, 1000);
tell();
connection.run();
