// Decodes requests of OTLP with the types that OpenTelemetry generates from its protocol:
//   node decode.cjs FOLDER_WITH_NODE_MODULES Trace|Metrics < REQUEST
// A request must be the same after it was written in the binary form and read again: a field that
// the protocol does not know is lost, and a value of another type is changed.
const { isDeepStrictEqual } = require("node:util");
const path = require("node:path");
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const [folder, signal] = process.argv.slice(2);
const { opentelemetry } = createRequire(path.join(folder, "x.js"))(
  "@opentelemetry/otlp-transformer/build/src/generated/root.js",
);
const type =
  opentelemetry.proto.collector[signal.toLowerCase()].v1[`Export${signal}ServiceRequest`];

const bytesOf = { traceId: 16, spanId: 8, parentSpanId: 8 };

// `each(value, name)` of all members, from the inside out.
function mapped(value, each, name = "") {
  let made = value;
  if (Array.isArray(value)) {
    made = value.map((one) => mapped(one, each));
  } else if (value !== null && typeof value === "object") {
    const members = Object.entries(value).map(([key, one]) => [key, mapped(one, each, key)]);
    // An empty list is as none, in the binary form.
    made = Object.fromEntries(members.filter(([, one]) => !(Array.isArray(one) && !one.length)));
  }
  return each(made, name);
}

// OTLP writes ids in hexadecimal digits, and other JSON of protobuf in base64.
function toBase64(value, name) {
  if (!(name in bytesOf)) return value;
  const id = Buffer.from(value, "hex");
  if (id.length !== bytesOf[name] || id.toString("hex") !== value) {
    throw new Error(`${name}: ${value}`);
  }
  return id.toString("base64");
}

const given = mapped(JSON.parse(readFileSync(0, "utf8")), toBase64);
const bytes = type.encode(type.fromObject(given)).finish();
const read = mapped(
  type.toObject(type.decode(bytes), { longs: String, bytes: String, json: true }),
  (value) => value,
);
if (bytes.length === 0 || !isDeepStrictEqual(given, read)) {
  console.error(`not what the protocol has:\n${JSON.stringify(given)}\n${JSON.stringify(read)}`);
  process.exitCode = 1;
}
