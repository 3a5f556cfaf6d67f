import { useId } from "react";
import { texts } from "../texts";

/** The product's sign, part of the page: it needs no server to be shown. The same as `public/icon.svg`. */
export function Mark({ size }: { size: number }) {
  const gradient = useId();
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <linearGradient id={gradient} x1="0" y1="0" x2="1" y2="1">
        <stop offset="0" stopColor="#7c7cf5" />
        <stop offset="1" stopColor="#4547c9" />
      </linearGradient>
      <rect width="64" height="64" rx="17" fill={`url(#${gradient})`} />
      <path
        d="M15 43V25.5a6.5 6.5 0 0 1 12-3.4l5 7.9 5-7.9a6.5 6.5 0 0 1 12 3.4V43"
        fill="none"
        stroke="#fff"
        strokeWidth="6.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

export function Logo() {
  return (
    <span className="logo">
      <Mark size={32} />
      <span>{texts.product}</span>
    </span>
  );
}
