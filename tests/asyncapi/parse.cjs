// Reads documents of AsyncAPI from the input, one a line, and checks them with @asyncapi/parser:
//   node parse.cjs FOLDER_WITH_NODE_MODULES
const path = require("node:path");
const { createRequire } = require("node:module");
const { Parser } = createRequire(path.join(process.argv[2], "x.js"))("@asyncapi/parser");

const isError = (diagnostic) => diagnostic.severity === 0;

async function main() {
  let input = "";
  for await (const part of process.stdin) input += part;
  const parser = new Parser();
  const documents = input.split("\n").filter((line) => line !== "");
  for (const text of documents) {
    const { document, diagnostics } = await parser.parse(text);
    for (const each of diagnostics.filter(isError)) {
      console.error(`${each.code} at ${each.path.join(".")}: ${each.message}`);
    }
    if (!document || diagnostics.some(isError)) process.exitCode = 1;
  }
  if (documents.length === 0) process.exitCode = 1;
}

main();
