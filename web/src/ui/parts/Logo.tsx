import { texts } from "../texts";

export function Logo() {
  return (
    <span className="logo">
      <img src="/icon.svg" alt="" width="32" height="32" />
      <span>{texts.product}</span>
    </span>
  );
}
