// Measures the changes between direct and group mode with the release binary, and prints the table of docs/switching.md.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

import { artifacts } from './harness/artifacts.mjs';
import { measureSwitches, table } from './harness/switches.mjs';

const ROUNDS = Number(process.argv[2] ?? 25);

/** @type {(() => Promise<void>)[]} */ const ends = [];
try {
  const measured = await measureSwitches({ after: (end) => void ends.push(end) }, 'bench-switch', ROUNDS);
  writeFileSync(join(artifacts('bench-switch'), 'switches.json'), JSON.stringify(measured, null, 2));
  console.log(table(measured));
  const failed = measured.transitions.filter((each) => !each.success).length;
  console.log(`\n${ROUNDS} switches each way, ${failed} called off, ${measured.dropped} dropped; ${cpus().length} x ${cpus()[0]?.model ?? '?'}`);
} finally {
  for (const end of ends) await end();
}
