// Turns the tables of boards.mjs into the JSON that Grafana reads.

const WIDTH = 24;
const SOURCE = { type: "prometheus", uid: "${source}" };

/** Sizes in the grid's units, by kind of panel. */
const SIZES = {
  stat: [4, 4],
  gauge: [4, 8],
  timeseries: [8, 8],
  bargauge: [8, 8],
  heatmap: [12, 8],
  table: [8, 8],
};

/** Which scrape targets a board can be narrowed down to; see `variables`. */
const SCOPES = {
  gateway: [
    variable("instance", "Gateway", 'label_values(meeshy_build_info{role="gateway"}, instance)'),
  ],
  media: [
    variable("region", "Region", 'label_values(meeshy_build_info{role="media"}, region)'),
    variable("node", "Media server", 'label_values(meeshy_build_info{role="media", region=~"$region"}, instance)'),
  ],
};

function variable(name, label, query) {
  return {
    name,
    label,
    type: "query",
    datasource: SOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    // Also for what has no such label.
    allValue: ".*",
    current: { selected: true, text: ["All"], value: ["$__all"] },
  };
}

/** One dashboard. @param {{ uid: string, title: string, about: string, scopes: string[], rows: { title: string, panels: object[] }[] }} board */
export function dashboard({ uid, title, about, scopes, rows }) {
  const panels = [];
  let y = 0;
  for (const row of rows) {
    panels.push({ id: panels.length + 1, type: "row", title: row.title, collapsed: false, panels: [], gridPos: { x: 0, y, w: WIDTH, h: 1 } });
    y += 1;
    let [x, height] = [0, 0];
    for (const each of row.panels) {
      const [w, h] = SIZES[each.kind];
      if (x + w > WIDTH) [x, y, height] = [0, y + height, 0];
      panels.push({ id: panels.length + 1, ...panel(each), gridPos: { x, y, w, h } });
      [x, height] = [x + w, Math.max(height, h)];
    }
    y += height;
  }
  return {
    uid,
    title,
    description: about,
    tags: ["meeshy"],
    timezone: "browser",
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    schemaVersion: 39,
    time: { from: "now-6h", to: "now" },
    links: [{ type: "dashboards", title: "Meeshy Calls", tags: ["meeshy"], asDropdown: true, includeVars: false, keepTime: true }],
    templating: {
      list: [
        { name: "source", label: "Data source", type: "datasource", query: "prometheus", current: {}, hide: 0 },
        ...scopes.flatMap((scope) => SCOPES[scope]),
      ],
    },
    annotations: {
      list: [{
        name: "Alerts",
        datasource: SOURCE,
        enable: true,
        iconColor: "red",
        expr: 'ALERTS{team="calls", alertstate="firing"}',
        titleFormat: "{{alertname}}",
        textFormat: "{{instance}}",
      }],
    },
    panels,
  };
}

function panel({ kind, title, about, unit, queries, stacked = false, max, steps }) {
  const bucketed = kind === "heatmap" || (kind === "bargauge" && queries.some(({ expr }) => expr.includes("_bucket")));
  const once = kind === "stat" || kind === "gauge" || kind === "bargauge" || kind === "table";
  return {
    type: kind,
    title,
    description: about,
    datasource: SOURCE,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: SOURCE,
      expr,
      legendFormat: legend ?? "__auto",
      format: bucketed ? "heatmap" : kind === "table" ? "table" : "time_series",
      instant: once,
      range: !once,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: kind === "heatmap" ? undefined : 0,
        max,
        thresholds: { mode: "absolute", steps: steps ?? [{ color: "green", value: null }] },
        custom: kind === "timeseries" ? { lineWidth: 1, fillOpacity: stacked ? 20 : 5, showPoints: "never", stacking: { mode: stacked ? "normal" : "none" } } : undefined,
      },
      overrides: [],
    },
    options: OPTIONS[kind](unit),
  };
}

const reduced = { calcs: ["lastNotNull"], fields: "", values: false };
const OPTIONS = {
  stat: () => ({ reduceOptions: reduced, colorMode: "value", graphMode: "area" }),
  gauge: () => ({ reduceOptions: reduced, showThresholdLabels: false, showThresholdMarkers: true }),
  bargauge: () => ({ reduceOptions: reduced, orientation: "vertical", displayMode: "basic" }),
  timeseries: () => ({ legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } }),
  heatmap: (unit) => ({ calculate: false, yAxis: { unit }, color: { scheme: "Oranges" }, cellGap: 1, tooltip: { mode: "single", yHistogram: true } }),
  table: () => ({ showHeader: true }),
};
