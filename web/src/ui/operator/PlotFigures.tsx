import { summary } from "../../operator/plot";
import type { Line } from "./Plot";
import { texts } from "./texts";

interface PlotFiguresProps {
  title: string;
  lines: readonly Line[];
  write: (value: number) => string;
}

/** The same as the lines, for people who do not see them or want to copy them. */
export function PlotFigures({ title, lines, write }: PlotFiguresProps) {
  const { columns, table, unknown } = texts.plots;
  return (
    <details className="plot-figures">
      <summary>{table}</summary>
      <table>
        <caption className="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.line}</th>
            <th scope="col">{columns.now}</th>
            <th scope="col">{columns.lowest}</th>
            <th scope="col">{columns.highest}</th>
            <th scope="col">{columns.average}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, label, points }) => {
            const figures = summary(points);
            const cell = (value: number | null | undefined) => (
              <td>{value == null ? unknown : write(value)}</td>
            );
            return (
              <tr key={key}>
                <th scope="row">{label}</th>
                {cell(figures?.now)}
                {cell(figures?.lowest)}
                {cell(figures?.highest)}
                {cell(figures?.average)}
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}
