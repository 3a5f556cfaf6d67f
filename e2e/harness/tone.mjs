// A file that Chromium's fake microphone plays over and over: one steady tone, so that any hole in it can be measured.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';

const RATE = 48_000;
/** Hertz; a whole number of waves fits into a second, so that the loop has no click. */
const PITCH = 440;

/** Writes the file; its path. */
export function toneFile() {
  const samples = RATE * 10;
  const data = Buffer.alloc(44 + samples * 2);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + samples * 2, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(RATE, 24);
  data.writeUInt32LE(RATE * 2, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write('data', 36);
  data.writeUInt32LE(samples * 2, 40);
  for (let index = 0; index < samples; index += 1) {
    data.writeInt16LE(Math.round(12_000 * Math.sin((2 * Math.PI * PITCH * index) / RATE)), 44 + index * 2);
  }
  const path = join(artifacts('tone'), 'tone.wav');
  writeFileSync(path, data);
  return path;
}
