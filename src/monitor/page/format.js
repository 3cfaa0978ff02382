// Numbers and times as people read them.

export const NOTHING = "–";

const withCommas = new Intl.NumberFormat("en-US", {maximumFractionDigits: 0});

export function count(value) {
  if (value == null) return NOTHING;
  if (value < 100_000) return withCommas.format(value);
  if (value < 10_000_000) return `${withCommas.format(value / 1000)}k`;
  return `${withCommas.format(value / 1_000_000)}M`;
}

// Of something a second.
export function rate(value) {
  if (value == null) return NOTHING;
  if (value === 0) return "0";
  if (value < 0.05) return "<0.1";
  if (value < 9.95) return value.toFixed(1);
  return count(Math.round(value));
}

// A duration, in seconds.
export function duration(seconds) {
  if (seconds == null) return NOTHING;
  if (seconds <= 0) return "0 s";
  if (seconds < 1e-6) return "<1 µs";
  if (seconds < 1e-3) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 1) return `${digits(seconds * 1e3)} ms`;
  if (seconds < 60) return `${digits(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${digits(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

// Of a histogram whose last bucket begins at 10 s.
export function quantile(seconds) {
  return seconds >= 10 ? "≥10 s" : duration(seconds);
}

function digits(value) {
  return value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}

// The same without a fraction of a second: for what is told each second.
export function whole(seconds) {
  return duration(Math.max(0, Math.floor(seconds))).replace(".0 s", " s");
}

export function ago(seconds) {
  if (seconds == null) return NOTHING;
  return seconds < 1 ? "now" : `${whole(seconds)} ago`;
}

export function clock(milliseconds) {
  const time = new Date(milliseconds);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}
