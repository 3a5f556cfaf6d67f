// Where tests leave what may be looked at afterwards.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const ARTIFACTS = process.env.MEESHY_ARTIFACTS ?? 'artifacts';

/** A folder for what one test leaves behind. @param {string} name */
export function artifacts(name) {
  const folder = join(ARTIFACTS, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
