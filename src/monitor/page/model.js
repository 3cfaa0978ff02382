// What the server says, as the page shows it: rows with what troubles them, the last five minutes,
// the edges of the graph. Knows no document.

const MINUTES = 5;
const POINTS = 100;  // of a line
const FULL = 0.8;    // of a mailbox

export const BAD = "bad";
export const WARN = "warn";
export const GOOD = "good";

// What is wrong with a component, the worst first: [weight, level, a few words]. The program
// msgbus-top weighs in the same way (src/top/trouble.cpp).
export function troubles(component, status) {
  const {rates} = component;
  const found = [];
  const add = (weight, level, words) => found.push({weight, level, words});
  const stalled = status.stalled.find((each) => each.components.includes(component.name));
  if (stalled) add(1000, BAD, "stuck");
  for (const {state} of component.breakers) {
    if (state === "open" || state === "isolated") add(200, BAD, `breaker ${state}`);
    if (state === "half_open") add(50, WARN, "breaker half open");
  }
  if (rates.failed > 0) {
    add(100 + Math.round(90 * rates.failed / (rates.failed + rates.handled)), BAD, "fails");
  }
  if (rates.dropped + rates.rejected + rates.abandoned > 0) add(100, BAD, "loses messages");
  if (component.capacity > 0 && component.waiting >= FULL * component.capacity) {
    add(80, WARN, "mailbox full");
  }
  if (component.blocked_senders > 0) add(60, WARN, "senders wait");
  if (rates.unrouted > 0) add(40, WARN, "unrouted");
  const warned = status.warnings.filter((each) => each.component === component.name);
  for (const each of warned) add(50, WARN, each.kind.replaceAll("_", " "));
  if (component.dead_letters > 0) add(10, GOOD, "dead letters");
  if (component.last_error && status.time - component.last_error.time < 60) {
    add(20, GOOD, "failed lately");
  }
  if (component.oldest >= 1) add(Math.min(9, Math.round(Math.log2(component.oldest))), GOOD, "old");
  return found.sort((a, b) => b.weight - a.weight);
}

function row(component, status) {
  const found = troubles(component, status);
  const level = found.some((each) => each.level === BAD) ? BAD
    : found.some((each) => each.level === WARN) ? WARN : GOOD;
  const {rates} = component;
  return {
    ...component,
    trouble: found.reduce((sum, each) => sum + each.weight, 0),
    level,
    words: [...new Set(found.filter((each) => each.level !== GOOD).map((each) => each.words))],
    stalled: status.stalled.find((each) => each.components.includes(component.name)) ?? null,
    lost: rates.dropped + rates.rejected + rates.abandoned,
    errorAge: component.last_error ? Math.max(0, status.time - component.last_error.time) : null,
  };
}

// The values of one component in the last minutes, kept here and nowhere else.
class History {
  samples = [];

  add(time, values) {
    if (this.samples.length && this.samples.at(-1).time >= time) this.samples = [];
    this.samples.push({time, ...values});
    const first = this.samples.findIndex((each) => each.time > time - MINUTES * 60);
    if (first > 0) this.samples.splice(0, first);
  }

  // `name` at equal distances until `now`: the largest value around each; null where none was read.
  line(name, now) {
    const values = new Array(POINTS).fill(null);
    const step = MINUTES * 60 / (POINTS - 1);
    for (const sample of this.samples) {
      const at = POINTS - 1 - Math.round((now - sample.time) / step);
      if (at >= 0 && at < POINTS) values[at] = Math.max(values[at] ?? 0, sample[name]);
    }
    for (let at = 1; at < POINTS - 1; ++at) {  // one that fell between two samples
      if (values[at] == null && values[at - 1] != null && values[at + 1] != null) {
        values[at] = values[at - 1];
      }
    }
    return values;
  }
}

// An edge, and how it is drawn.
function edge(given, names) {
  const share = given.offered_rate > 0 ? given.failed_rate / given.offered_rate : 0;
  const failing = given.failed_rate > 0 ? (share >= 0.1 ? BAD : WARN) : null;
  return {
    ...given,
    level: failing ?? (given.offered_rate > 0 ? "busy" : "idle"),
    fromName: names.get(given.from),
    toName: given.to ? names.get(given.to) : null,
  };
}

export function nameOf(node) {
  return node.name || `${node.kind} ${node.id}`;
}

// The name of a node stays the same from document to document, its id does not. Those without a
// name, or with one that another has, are told apart by their number.
function withKeys(nodes) {
  const seen = new Map();
  return nodes.map((node) => {
    const base = `${node.kind} ${node.name}`;
    const number = seen.get(base) ?? 0;
    seen.set(base, number + 1);
    return {...node, key: number ? `${base} ${number}` : base, title: nameOf(node)};
  });
}

export class Model {
  histories = new Map();
  total = new History();
  status = null;
  restarted = null;  // when another process answered for the first time, in ms

  take(status) {
    if (this.status && this.status.since !== status.since) this.restarted = Date.now();
    this.status = status;
    this.rows = status.components.map((component) => row(component, status));
    this.byName = new Map(this.rows.map((each) => [each.name, each]));
    for (const each of this.rows) {
      this.history(each.name).add(status.time, {
        handled: each.rates.handled, failed: each.rates.failed + each.lost, waiting: each.waiting,
        oldest: each.oldest,
      });
    }
    for (const name of this.histories.keys()) {
      if (!this.byName.has(name)) this.histories.delete(name);
    }
    this.sums = this.sum();
    this.total.add(status.time, this.sums);
    this.nodes = withKeys(status.nodes);
    const names = new Map(this.nodes.map((node) => [node.id, node.title]));
    this.edges = status.edges.map((each) => edge(each, names));
    this.executors = this.executorsOf(status);
  }

  history(name) {
    return this.histories.get(name) ?? this.histories.set(name, new History()).get(name);
  }

  sum() {
    const sums = {
      handled: 0, failed: 0, lost: 0, waiting: 0, oldest: 0, inFlight: 0, bad: 0, warn: 0,
    };
    for (const each of this.rows) {
      sums.handled += each.rates.handled;
      sums.failed += each.rates.failed;
      sums.lost += each.lost;
      sums.waiting += each.waiting;
      sums.inFlight += each.in_flight;
      sums.oldest = Math.max(sums.oldest, each.oldest);
      if (each.level !== GOOD) ++sums[each.level];
    }
    return sums;
  }

  executorsOf(status) {
    const found = new Map();
    for (const each of this.rows) {
      const executor = found.get(each.executor)
        ?? {name: each.executor, components: 0, inFlight: 0, stalled: null};
      ++executor.components;
      executor.inFlight += each.in_flight;
      found.set(each.executor, executor);
    }
    for (const stalled of status.stalled) {
      const executor = found.get(stalled.executor)
        ?? {name: stalled.executor, components: stalled.components.length, inFlight: 0};
      found.set(stalled.executor, {...executor, stalled});
    }
    return [...found.values()].sort((a, b) =>
      (b.stalled?.seconds ?? -1) - (a.stalled?.seconds ?? -1) || (a.name < b.name ? -1 : 1));
  }
}
