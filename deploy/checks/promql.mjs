// Which metrics and labels a PromQL expression names. It reads words, not grammar: whether an expression is one is
// promtool's to say.

const AGGREGATIONS = new Set(["sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"]);
const GROUPINGS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const OPERATORS = new Set(["and", "or", "unless", "bool", "offset", "inf", "nan"]);
/** Functions that read how a counter grew. */
const GROWTH = new Set(["rate", "irate", "increase", "resets"]);

const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_:][\w:]*|\$\w+|\d[\w.]*|=~|!~|!=|[^\s\w]/g;
const WORD = /^[A-Za-z_:]/;

/**
 * `metrics`: every selector with the labels it matches, with the fixed values among them, and whether its growth is
 * read. `labels`: those results are grouped and joined by.
 */
export function read(expression) {
  const tokens = expression.match(TOKEN) ?? [];
  const metrics = [];
  const labels = [];
  /** What each open bracket belongs to. */
  const functions = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === "(") functions.push(WORD.test(tokens[at - 1] ?? "") ? tokens[at - 1] : "");
    else if (token === ")") functions.pop();
    else if (token === "[") at = tokens.indexOf("]", at);
    else if (WORD.test(token)) {
      const word = token.toLowerCase();
      if (GROUPINGS.has(word)) {
        if (tokens[at + 1] !== "(") continue;
        const end = tokens.indexOf(")", at);
        labels.push(...tokens.slice(at + 2, end).filter((each) => each !== ","));
        at = end;
      } else if (!OPERATORS.has(word) && !AGGREGATIONS.has(word) && tokens[at + 1] !== "(") {
        const metric = { name: token, matchers: [], grows: functions.some((each) => GROWTH.has(each)) };
        if (tokens[at + 1] === "{") {
          const end = tokens.indexOf("}", at);
          metric.matchers = matchers(tokens.slice(at + 2, end));
          at = end;
        }
        metrics.push(metric);
      }
    }
  }
  return { metrics, labels };
}

function matchers(tokens) {
  const found = [];
  tokens.forEach((token, at) => {
    if (["=", "=~", "!=", "!~"].includes(token)) found.push({ label: tokens[at - 1], operator: token, value: tokens[at + 1]?.slice(1, -1) ?? "" });
  });
  return found;
}
