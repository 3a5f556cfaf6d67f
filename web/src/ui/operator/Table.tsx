import type { ReactNode } from "react";

interface TableProps {
  /** What the table is; its accessible name. */
  label: string;
  columns: readonly string[];
  /** Columns without a visible heading. */
  silent?: readonly string[];
  testId?: string;
  children: ReactNode;
}

/**
 * A table that becomes a stack of cards where there is little room. Roles are written out because laying a table out
 * anew takes them away in some browsers.
 */
export function Table({ label, columns, silent = [], testId, children }: TableProps) {
  return (
    <table className="op-table" role="table" aria-label={label} data-testid={testId}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column} role="columnheader" scope="col">
              {silent.includes(column) ? <span className="visually-hidden">{column}</span> : column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}

interface CellProps {
  /** The column's heading: shown beside the value where the table is a stack of cards. */
  label: string;
  look?: "number" | "wide" | "action";
  children: ReactNode;
}

export function Cell({ label, look, children }: CellProps) {
  return (
    <td role="cell" className={look === undefined ? undefined : `op-cell-${look}`} data-label={label}>
      {children}
    </td>
  );
}
