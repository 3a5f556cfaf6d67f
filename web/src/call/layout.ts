/** Where each tile goes. Pure geometry: the same tiles in the same space always give the same picture. */

export interface Space {
  width: number;
  height: number;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LayoutTile {
  key: string;
  /** The user's own camera: small in a call of two. */
  self: boolean;
}

export interface Layout {
  mode: "single" | "duo" | "grid" | "stage";
  rects: Map<string, Rect>;
  pages: number;
  page: number;
}

export interface LayoutRequest {
  space: Space;
  tiles: LayoutTile[];
  /** The tile that gets most of the room, if any. */
  stage: string | null;
  page: number;
  gap: number;
}

/** Contract: four by four, further people on further pages. */
export const MAX_PER_PAGE = 16;
const MAX_COLUMNS = 4;
/** CSS pixels below which a face is no longer one. */
const MIN_TILE: Space = { width: 150, height: 108 };
const WIDEST = 16 / 9;
/** Camera pictures are cropped to at most this on landscape and portrait pages. */
const TALLEST_LANDSCAPE = 1.25;
const TALLEST_PORTRAIT = 0.72;

export function arrange(request: LayoutRequest): Layout {
  const { tiles, stage } = request;
  if (stage !== null && tiles.length > 1 && tiles.some((tile) => tile.key === stage))
    return arrangeStage(request, stage);
  if (tiles.length === 1) return single(request);
  if (tiles.length === 2 && tiles.filter((tile) => tile.self).length === 1) return duo(request);
  return arrangeGrid(request);
}

function whole({ space }: LayoutRequest): Rect {
  return { x: 0, y: 0, width: space.width, height: space.height };
}

function single(request: LayoutRequest): Layout {
  const rects = new Map(request.tiles.map((tile) => [tile.key, whole(request)]));
  return { mode: "single", rects, pages: 1, page: 0 };
}

function duo(request: LayoutRequest): Layout {
  const rects = new Map<string, Rect>();
  for (const tile of request.tiles) rects.set(tile.key, tile.self ? corner(request.space) : whole(request));
  return { mode: "duo", rects, pages: 1, page: 0 };
}

/** The own picture in the lower right corner. */
function corner({ width, height }: Space): Rect {
  const portrait = height > width;
  const aspect = portrait ? 3 / 4 : 16 / 9;
  const ideal = portrait ? width * 0.28 : Math.min(width * 0.22, height * 0.34 * aspect);
  const pip = { width: clamp(ideal, 96, 300), height: clamp(ideal, 96, 300) / aspect };
  const inset = Math.min(width, height) < 480 ? 10 : 16;
  return {
    x: width - pip.width - inset,
    y: height - pip.height - inset,
    width: pip.width,
    height: pip.height,
  };
}

function arrangeGrid(request: LayoutRequest): Layout {
  const { space, gap } = request;
  const capacity = gridCapacity(space, gap);
  const cut = paged(selfOnFirstPage(request.tiles, capacity), capacity, request.page);
  const rects = grid(
    cut.tiles.map((tile) => tile.key),
    space,
    gap,
  );
  return { mode: "grid", rects, pages: cut.pages, page: cut.page };
}

function gridCapacity(space: Space, gap: number): number {
  const columns = Math.max(1, Math.floor((space.width + gap) / (MIN_TILE.width + gap)));
  const rows = Math.max(1, Math.floor((space.height + gap) / (MIN_TILE.height + gap)));
  return clamp(columns * rows, 2, MAX_PER_PAGE);
}

/** Seeing oneself should not need turning pages. */
function selfOnFirstPage(tiles: LayoutTile[], capacity: number): LayoutTile[] {
  const self = tiles.find((tile) => tile.self);
  if (self === undefined || tiles.indexOf(self) < capacity) return tiles;
  const others = tiles.filter((tile) => tile !== self);
  return [...others.slice(0, capacity - 1), self, ...others.slice(capacity - 1)];
}

function paged(tiles: LayoutTile[], capacity: number, wished: number) {
  const pages = Math.max(1, Math.ceil(tiles.length / capacity));
  const page = clamp(wished, 0, pages - 1);
  return { tiles: tiles.slice(page * capacity, (page + 1) * capacity), pages, page };
}

/** The number of columns that shows most picture, the last row centred. */
function grid(keys: string[], space: Space, gap: number): Map<string, Rect> {
  const count = keys.length;
  let best = { columns: 1, cell: { width: 0, height: 0 } };
  for (let columns = 1; columns <= Math.min(count, MAX_COLUMNS); columns += 1) {
    const cell = cellFor(count, columns, space, gap);
    // A little more picture is not worth a lopsided last row.
    const evenness = count % columns === 0 ? 1.02 : 1;
    if (cell.width * cell.height * evenness > best.cell.width * best.cell.height) best = { columns, cell };
  }
  return place(keys, best.columns, best.cell, space, gap);
}

function cellFor(count: number, columns: number, space: Space, gap: number): Space {
  const rows = Math.ceil(count / columns);
  const width = Math.max(0, (space.width - gap * (columns - 1)) / columns);
  const height = Math.max(0, (space.height - gap * (rows - 1)) / rows);
  const tallest = space.height > space.width ? TALLEST_PORTRAIT : TALLEST_LANDSCAPE;
  return { width: Math.min(width, height * WIDEST), height: Math.min(height, width / tallest) };
}

function place(keys: string[], columns: number, cell: Space, space: Space, gap: number): Map<string, Rect> {
  const rows = Math.ceil(keys.length / columns);
  const top = (space.height - rows * cell.height - (rows - 1) * gap) / 2;
  const rects = new Map<string, Rect>();
  keys.forEach((key, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, keys.length - row * columns);
    const left = (space.width - inRow * cell.width - (inRow - 1) * gap) / 2;
    const column = index % columns;
    rects.set(key, { x: left + column * (cell.width + gap), y: top + row * (cell.height + gap), ...cell });
  });
  return rects;
}

function arrangeStage(request: LayoutRequest, stage: string): Layout {
  const { space, tiles, gap } = request;
  const others = tiles.filter((tile) => tile.key !== stage);
  const beside = space.width >= space.height * 1.1;
  const cell = stripCell(request, beside, others.length);
  const length = beside ? space.height : space.width;
  const step = (beside ? cell.height : cell.width) + gap;
  const capacity = Math.max(1, Math.floor((length + gap) / step));
  const cut = paged(selfOnFirstPage(others, capacity), capacity, request.page);
  const start = (length - cut.tiles.length * step + gap) / 2;
  const rects = new Map<string, Rect>();
  rects.set(
    stage,
    beside
      ? { x: 0, y: 0, width: space.width - cell.width - gap, height: space.height }
      : { x: 0, y: 0, width: space.width, height: space.height - cell.height - gap },
  );
  cut.tiles.forEach((tile, index) => {
    const along = start + index * step;
    const position = beside
      ? { x: space.width - cell.width, y: along }
      : { x: along, y: space.height - cell.height };
    rects.set(tile.key, { ...position, ...cell });
  });
  return { mode: "stage", rects, pages: cut.pages, page: cut.page };
}

/** The small tiles beside or below the stage; of a tiny space they take no more than a third. */
function stripCell({ space, gap }: LayoutRequest, beside: boolean, count: number): Space {
  if (beside) {
    const width = Math.min(clamp(space.width * 0.19, 132, 300), space.width / 3);
    return { width, height: Math.min(space.height, (width * 9) / 16) };
  }
  const height = Math.min(clamp(space.height * 0.2, 96, 180), space.height / 3);
  // A little narrower when that saves a page.
  const fitting = (space.width - gap * (count - 1)) / count;
  return { width: Math.min(space.width, clamp(fitting, height * 0.8, height * 1.2)), height };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
