// Writes dashboards/*.json from boards.mjs. Needs nothing but Node.
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { BOARDS } from "./boards.mjs";
import { dashboard } from "./layout.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "dashboards");
for (const name of readdirSync(folder)) rmSync(join(folder, name));
for (const board of BOARDS) writeFileSync(join(folder, `${board.uid}.json`), text(board));

/** What a dashboard's file holds. */
function text(board) {
  return `${JSON.stringify(dashboard(board), null, 2)}\n`;
}
