/** One JSON request with a deadline, the server's envelope opened, and waiting where waiting helps. */
import { SignallingError } from "./errors";

export type Fetch = typeof globalThis.fetch;

/** Whether a request whose outcome is unknown may be sent again. */
export type Repeat = "safe" | "once";

export interface JsonRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  url: string;
  body?: unknown;
  token?: string;
  /** Of a guest, in place of a token. */
  sessionToken?: string;
  repeat: Repeat;
  signal?: AbortSignal;
  /** Outlives the page; for the farewell. */
  keepalive?: boolean;
}

export interface HttpOptions {
  fetch: Fetch;
  /** Milliseconds for one attempt, headers and body together. */
  timeout: number;
  /** Attempts in total for a "safe" request that met the network, and for a refusal with Retry-After. */
  attempts: number;
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export const DEFAULT_HTTP: HttpOptions = {
  fetch: (input, init) => globalThis.fetch(input, init),
  // Long enough for a phone on a bad cell, short enough that a dead node is noticed before the user gives up.
  timeout: 8_000,
  attempts: 3,
  sleep,
};

/** The longest obedience to Retry-After: the node's windows are 60 s. */
const MAX_RETRY_AFTER = 65_000;
const FIRST_BACKOFF = 300;

export async function requestJson(request: JsonRequest, options: HttpOptions): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptJson(request, options);
    } catch (error) {
      const delay = attempt < options.attempts ? retryDelay(error, request.repeat, attempt) : undefined;
      if (delay === undefined) throw error;
      await options.sleep(delay, request.signal);
    }
  }
}

/** Milliseconds until the next attempt, or undefined when the error is final. */
function retryDelay(error: unknown, repeat: Repeat, attempt: number): number | undefined {
  if (!(error instanceof SignallingError)) return undefined;
  // A limited request was not carried out, so even a "once" request may be repeated.
  if (error.status === 429 && error.retryAfter !== undefined)
    return Math.min(error.retryAfter, MAX_RETRY_AFTER);
  const unknownOutcome = error.kind === "network" || error.kind === "timeout" || isGatewayFault(error.status);
  if (repeat === "safe" && unknownOutcome) return FIRST_BACKOFF * 2 ** (attempt - 1);
  return undefined;
}

function isGatewayFault(status: number | undefined): boolean {
  return status === 502 || status === 504;
}

async function attemptJson(request: JsonRequest, options: HttpOptions): Promise<unknown> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), options.timeout);
  const forward = () => deadline.abort();
  request.signal?.addEventListener("abort", forward, { once: true });
  if (request.signal?.aborted) deadline.abort();
  try {
    const response = await options.fetch(request.url, {
      method: request.method,
      headers: headersOf(request),
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      signal: deadline.signal,
      keepalive: request.keepalive ?? false,
      cache: "no-store",
      credentials: "omit",
    });
    return openEnvelope(response, await readBody(response));
  } catch (error) {
    if (error instanceof SignallingError) throw error;
    if (request.signal?.aborted) throw new SignallingError("aborted", "request was abandoned");
    if (deadline.signal.aborted)
      throw new SignallingError("timeout", `no answer within ${options.timeout} ms`);
    throw new SignallingError("network", error instanceof Error ? error.message : "network failure");
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", forward);
  }
}

function headersOf(request: JsonRequest): Record<string, string> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  if (request.token !== undefined) headers.authorization = `Bearer ${request.token}`;
  if (request.sessionToken !== undefined) headers["x-session-token"] = request.sessionToken;
  return headers;
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function openEnvelope(response: Response, body: unknown): unknown {
  if (isObject(body)) {
    if (response.ok && body.success === true) return body.data;
    if (isObject(body.error)) throw apiError(response, body.error);
  }
  throw new SignallingError("malformed", `unexpected answer with status ${response.status}`, {
    status: response.status,
  });
}

function apiError(response: Response, error: Record<string, unknown>): SignallingError {
  const message = typeof error.message === "string" ? error.message : `status ${response.status}`;
  return new SignallingError("api", message, {
    code: typeof error.code === "string" ? error.code : undefined,
    status: response.status,
    retryAfter: retryAfterOf(response, error),
    about: isObject(error.details) ? (error.details as Record<string, string>) : undefined,
  });
}

function retryAfterOf(response: Response, error: Record<string, unknown>): number | undefined {
  const seconds = Number(error.retryAfter ?? response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abandon = () => {
      clearTimeout(timer);
      reject(new SignallingError("aborted", "request was abandoned"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abandon);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abandon();
    else signal?.addEventListener("abort", abandon, { once: true });
  });
}
