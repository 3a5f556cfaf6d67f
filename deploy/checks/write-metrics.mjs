// Writes what the servers export into metrics.json and into the table of docs/monitoring.md. A test of the binary fails
// when they are out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { ROOT, meeshy, output } from "./repository.mjs";

const PAGE = join(ROOT, "docs/monitoring.md");
const BEGIN = "<!-- metrics: written by `make metrics` -->\n";
const END = "\n<!-- end of metrics -->";

writeFileSync(join(dirname(fileURLToPath(import.meta.url)), "metrics.json"), output(meeshy(), ["metrics", "--json"]));
const page = readFileSync(PAGE, "utf8");
const [before, rest] = page.split(BEGIN);
const [, after] = rest.split(END);
writeFileSync(PAGE, `${before}${BEGIN}\n${output(meeshy(), ["metrics"]).trim()}\n${END}${after}`);
