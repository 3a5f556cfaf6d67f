// A camera of 640x480 pixels at 30 frames a second, as a file that Chromium plays in a loop: the same everywhere, and
// light enough that three people fit on a small machine.
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';

const [WIDTH, HEIGHT, FRAMES] = [640, 480, 30];

/** Writes the file; its path. */
export function cameraFile() {
  const path = join(artifacts('camera'), 'camera.y4m');
  const file = openSync(path, 'w');
  writeSync(file, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420\n`);
  for (let number = 0; number < FRAMES; number += 1) {
    writeSync(file, 'FRAME\n');
    writeSync(file, frame(number));
  }
  closeSync(file);
  return path;
}

/** A quiet ground, as behind a person, with a bar that crosses it once a second. @param {number} number */
function frame(number) {
  const luma = Buffer.alloc(WIDTH * HEIGHT, 96);
  const left = Math.floor((number * (WIDTH - 64)) / FRAMES);
  for (let row = 120; row < 360; row += 1) luma.fill(200, row * WIDTH + left, row * WIDTH + left + 64);
  return Buffer.concat([luma, Buffer.alloc((WIDTH * HEIGHT) / 4, 110), Buffer.alloc((WIDTH * HEIGHT) / 4, 140)]);
}
