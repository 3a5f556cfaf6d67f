/** Said where a list has nothing in it, with what would bring something. */
export function Empty({ title, text }: { title: string; text: string }) {
  return (
    <div className="op-empty">
      <p>
        <strong>{title}</strong>
      </p>
      <p>{text}</p>
    </div>
  );
}
