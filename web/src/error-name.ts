/** The name of whatever was thrown; browsers' DOMExceptions come from several realms, so `instanceof` is no help. */
export function errorName(error: unknown): string {
  if (typeof error !== "object" || error === null || !("name" in error)) return "";
  return typeof error.name === "string" ? error.name : "";
}
