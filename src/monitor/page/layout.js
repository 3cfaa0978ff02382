// Where the boxes of a graph go: layers from left to right (or from top to bottom), few crossings,
// boxes near those that they are joined to. Pure: knows numbers, no document.

const SWEEPS = 8;

// nodes: [{id}], edges: [{from, to}] with the ids of nodes. Gives {width, height, boxes: Map of id
// to {x, y}, paths: a list of points for each edge}. x and y are the upper left corner.
export function layout(nodes, edges, {box, gap, layerGap, vertical = false}) {
  const joined = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  const bound = nodes.filter((node) => joined.has(node.id)).map((node) => node.id);
  const alone = nodes.filter((node) => !joined.has(node.id)).map((node) => node.id);
  const ways = withoutCycles(bound, edges);
  const layerOf = layersOf(bound, ways);
  const {layers, chains} = withBends(bound, ways, layerOf);
  order(layers, chains);
  const across = vertical ? box.width : box.height;
  const along = vertical ? box.height : box.width;
  const at = place(layers, chains, across + gap);

  const places = new Map();
  const size = {along: 0, across: 0};
  layers.forEach((layer, depth) => {
    for (const id of layer) {
      const placed = {along: depth * (along + layerGap), across: at.get(id)};
      places.set(id, placed);
      size.along = Math.max(size.along, placed.along + along);
      size.across = Math.max(size.across, placed.across + across);
    }
  });
  placeAlone(alone, places, size, {along, across, gap, layerGap});
  const corner = ({along: a, across: c}) => (vertical ? {x: c, y: a} : {x: a, y: c});
  return {
    width: vertical ? size.across : size.along,
    height: vertical ? size.along : size.across,
    boxes: new Map(nodes.map((node) => [node.id, corner(places.get(node.id))])),
    paths: chains.map((chain) => points(chain, places, along, across, corner)),
  };
}

// Each edge as {from, to, turned}, where no way leads back to where it began.
function withoutCycles(ids, edges) {
  const out = new Map(ids.map((id) => [id, []]));
  const ways = edges.map((edge) => ({from: edge.from, to: edge.to, turned: false}));
  for (const way of ways) out.get(way.from).push(way);
  const seen = new Map();  // id -> "open" while its ways are followed, then "done"
  for (const start of ids) {
    if (seen.has(start)) continue;
    seen.set(start, "open");
    const stack = [{id: start, next: 0}];
    while (stack.length) {
      const top = stack.at(-1);
      const way = out.get(top.id)[top.next++];
      if (!way) {
        seen.set(top.id, "done");
        stack.pop();
      } else if (seen.get(way.to) === "open") {
        way.turned = true;
      } else if (!seen.has(way.to)) {
        seen.set(way.to, "open");
        stack.push({id: way.to, next: 0});
      }
    }
  }
  for (const way of ways) {
    if (way.turned) [way.from, way.to] = [way.to, way.from];
  }
  return ways;
}

// The layer of each: one more than that of the last before it.
function layersOf(ids, ways) {
  const layerOf = new Map(ids.map((id) => [id, 0]));
  const missing = new Map(ids.map((id) => [id, 0]));
  const out = new Map(ids.map((id) => [id, []]));
  for (const way of ways) {
    if (way.from === way.to) continue;
    missing.set(way.to, missing.get(way.to) + 1);
    out.get(way.from).push(way.to);
  }
  const ready = ids.filter((id) => missing.get(id) === 0);
  while (ready.length) {
    const id = ready.shift();
    for (const next of out.get(id)) {
      layerOf.set(next, Math.max(layerOf.get(next), layerOf.get(id) + 1));
      missing.set(next, missing.get(next) - 1);
      if (missing.get(next) === 0) ready.push(next);
    }
  }
  return layerOf;
}

// The ids of each layer, and each way as a chain with a bend in every layer that it passes.
function withBends(ids, ways, layerOf) {
  const layers = [];
  for (const id of ids) (layers[layerOf.get(id)] ??= []).push(id);
  const chains = ways.map((way, number) => {
    const ends = [way.from];
    for (let depth = layerOf.get(way.from) + 1; depth < layerOf.get(way.to); ++depth) {
      const bend = `bend ${number} ${depth}`;
      layers[depth].push(bend);
      ends.push(bend);
    }
    ends.push(way.to);
    return {ends, turned: way.turned};
  });
  return {layers, chains};
}

function neighbours(chains) {
  const before = new Map();
  const after = new Map();
  const add = (map, id, other) => (map.get(id) ?? map.set(id, []).get(id)).push(other);
  for (const {ends} of chains) {
    for (let i = 1; i < ends.length; ++i) {
      add(before, ends[i], ends[i - 1]);
      add(after, ends[i - 1], ends[i]);
    }
  }
  return {before, after};
}

const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

// Sorts each layer by where the neighbours are, forwards and backwards.
function order(layers, chains) {
  const {before, after} = neighbours(chains);
  const at = new Map();
  const number = (layer) => layer.forEach((id, i) => at.set(id, i));
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; ++sweep) {
    const forwards = sweep % 2 === 0;
    for (const layer of forwards ? layers : [...layers].reverse()) {
      const beside = forwards ? before : after;
      const wish = new Map(layer.map((id) => {
        const others = beside.get(id);
        return [id, others ? mean(others.map((other) => at.get(other))) : at.get(id)];
      }));
      layer.sort((a, b) => wish.get(a) - wish.get(b));
      number(layer);
    }
  }
}

// Moves each to the mean of its neighbours, as far as the others of its layer leave space.
function place(layers, chains, step) {
  const {before, after} = neighbours(chains);
  const at = new Map();
  for (const layer of layers) layer.forEach((id, i) => at.set(id, i * step));
  for (let sweep = 0; sweep < SWEEPS * 2; ++sweep) {
    const forwards = sweep % 2 === 0;
    for (const layer of forwards ? layers : [...layers].reverse()) {
      const wishes = layer.map((id) => {
        const others = [...((forwards ? before : after).get(id) ?? [])];
        return others.length ? mean(others.map((other) => at.get(other))) : at.get(id);
      });
      apart(wishes, step).forEach((where, i) => at.set(layer[i], where));
    }
  }
  const first = Math.min(0, ...at.values());
  const least = at.size ? Math.min(...at.values()) : first;
  for (const [id, where] of at) at.set(id, where - least);
  return at;
}

// The nearest places in this order with at least `step` between them: groups that touch move
// together.
function apart(wishes, step) {
  const groups = [];
  wishes.forEach((wish, i) => {
    let group = {sum: wish - i * step, count: 1};
    while (groups.length && groups.at(-1).sum / groups.at(-1).count > group.sum / group.count) {
      const last = groups.pop();
      group = {sum: last.sum + group.sum, count: last.count + group.count};
    }
    groups.push(group);
  });
  const places = [];
  for (const {sum, count} of groups) {
    for (let i = 0; i < count; ++i) places.push(sum / count + places.length * step);
  }
  return places;
}

// Those that nothing is bound to stand in rows below (or columns beside) the others.
function placeAlone(ids, places, size, {along, across, gap, layerGap}) {
  if (!ids.length) return;
  const begin = size.across ? size.across + 2 * gap : 0;
  const room = Math.max(size.along, 4 * along + 3 * layerGap / 2);
  const inRow = Math.max(1, Math.floor((room + layerGap / 2) / (along + layerGap / 2)));
  ids.forEach((id, i) => {
    const placed = {
      along: (i % inRow) * (along + layerGap / 2),
      across: begin + Math.floor(i / inRow) * (across + gap),
    };
    places.set(id, placed);
    size.along = Math.max(size.along, placed.along + along);
    size.across = Math.max(size.across, placed.across + across);
  });
}

// From the end of the first box to the begin of the last, by the middle of each bend.
function points({ends, turned}, places, along, across, corner) {
  const all = [];
  ends.forEach((id, i) => {
    const {along: a, across: c} = places.get(id);
    if (i > 0) all.push(corner({along: a, across: c + across / 2}));
    if (i < ends.length - 1) all.push(corner({along: a + along, across: c + across / 2}));
  });
  return turned ? all.reverse() : all;
}
