/** Painted cameras and screens, so that pictures of the page show something like people. */

export function paintedCamera(hue: number, portrait = false): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = portrait ? [720, 1280] : [1280, 720];
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  return record(canvas, () => paintPerson(context, hue));
}

export function paintedScreen(): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1920, 1080];
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  return record(canvas, () => paintSlides(context));
}

function record(canvas: HTMLCanvasElement, paint: () => void): MediaStreamTrack {
  const track = canvas.captureStream(5).getVideoTracks()[0];
  if (track === undefined) throw new Error("no track");
  paint();
  setInterval(paint, 200);
  return track;
}

function paintPerson(context: CanvasRenderingContext2D, hue: number): void {
  const { width, height } = context.canvas;
  const wall = context.createLinearGradient(0, 0, width, height);
  wall.addColorStop(0, `hsl(${String(hue)} 28% 74%)`);
  wall.addColorStop(1, `hsl(${String(hue + 40)} 30% 42%)`);
  context.fillStyle = wall;
  context.fillRect(0, 0, width, height);
  const unit = Math.min(width, height) / 720;
  const [x, y] = [width / 2, height * 0.5];
  context.fillStyle = `hsl(${String(hue + 190)} 40% 34%)`;
  context.beginPath();
  context.ellipse(x, height + 40 * unit, 300 * unit, 270 * unit, 0, 0, 7);
  context.fill();
  context.fillStyle = `hsl(24 45% ${String(46 + (hue % 5) * 8)}%)`;
  context.beginPath();
  context.ellipse(x, y - 30 * unit, 115 * unit, 145 * unit, 0, 0, 7);
  context.fill();
  context.fillStyle = `hsl(${String(hue % 50)} 30% 20%)`;
  context.beginPath();
  context.ellipse(x, y - 105 * unit, 125 * unit, 90 * unit, 0, Math.PI, 0);
  context.fill();
}

function paintSlides(context: CanvasRenderingContext2D): void {
  const { width, height } = context.canvas;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#1a1b27";
  context.font = "700 84px sans-serif";
  context.fillText("Quarterly review", 140, 220);
  context.font = "40px sans-serif";
  ["Where we are", "What went well", "What comes next"].forEach((line, index) =>
    context.fillText(`•  ${line}`, 150, 380 + index * 84),
  );
  [260, 420, 330, 560, 640].forEach((bar, index) => {
    context.fillStyle = `hsl(240 55% ${String(72 - index * 7)}%)`;
    context.fillRect(1050 + index * 150, 920 - bar, 100, bar);
  });
}
