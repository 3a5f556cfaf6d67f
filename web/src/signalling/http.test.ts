import { describe, expect, it, vi } from "vitest";
import { SignallingError } from "./errors";
import { type HttpOptions, type JsonRequest, requestJson } from "./http";

const request: JsonRequest = { method: "POST", url: "/x", body: { a: 1 }, token: "t", repeat: "safe" };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

function options(answers: (() => Promise<Response>)[]) {
  const slept: number[] = [];
  let calls = 0;
  const fetch = vi.fn(() => {
    const next = answers[Math.min(calls, answers.length - 1)];
    calls += 1;
    return next === undefined ? Promise.reject(new Error("no answer")) : next();
  });
  const http: HttpOptions = {
    fetch: fetch,
    timeout: 50,
    attempts: 3,
    sleep: (milliseconds) => {
      slept.push(milliseconds);
      return Promise.resolve();
    },
  };
  return { http, fetch, slept };
}

const ok = () => Promise.resolve(answer(200, { success: true, data: { x: 7 } }));
const lost = () => Promise.reject(new TypeError("connection reset"));
const refused =
  (status: number, error: object, headers = {}) =>
  () =>
    Promise.resolve(answer(status, { success: false, error }, headers));

describe("requestJson", () => {
  it("opens the success envelope and sends token and body", async () => {
    const { http, fetch } = options([ok]);
    expect(await requestJson(request, http)).toEqual({ x: 7 });
    const [url, init] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(url).toBe("/x");
    expect(init.body).toBe('{"a":1}');
    expect(init.headers).toMatchObject({ authorization: "Bearer t", "content-type": "application/json" });
  });

  interface FailureRow {
    name: string;
    answer: () => Promise<Response>;
    error: Partial<SignallingError>;
  }
  const failures: FailureRow[] = [
    {
      name: "an error envelope",
      answer: refused(404, { code: "ROOM_NOT_FOUND", message: "no such room" }),
      error: { kind: "api", code: "ROOM_NOT_FOUND", status: 404, message: "no such room" },
    },
    {
      name: "a page instead of JSON",
      answer: () => Promise.resolve(answer(200, "<html>")),
      error: { kind: "malformed" },
    },
    {
      name: "JSON without an envelope",
      answer: () => Promise.resolve(answer(200, [])),
      error: { kind: "malformed" },
    },
    { name: "a broken connection", answer: lost, error: { kind: "network" } },
  ];
  it.each(failures)("turns $name into a typed error", async ({ answer: given, error }) => {
    const { http } = options([given]);
    await expect(requestJson(request, http)).rejects.toMatchObject(error);
  });

  it("gives up on an answer that does not come", async () => {
    const { http } = options([]);
    http.fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    http.attempts = 1;
    await expect(requestJson(request, http)).rejects.toMatchObject({ kind: "timeout" });
  });

  it("tells an abandoned request from a slow one", async () => {
    const { http } = options([]);
    const abort = new AbortController();
    http.fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    const pending = requestJson({ ...request, signal: abort.signal }, http);
    abort.abort();
    await expect(pending).rejects.toMatchObject({ kind: "aborted" });
  });

  it("repeats a safe request that met the network, waiting longer each time", async () => {
    const { http, fetch, slept } = options([lost, lost, ok]);
    expect(await requestJson(request, http)).toEqual({ x: 7 });
    expect(fetch).toHaveBeenCalledTimes(3);
    expect(slept).toEqual([300, 600]);
  });

  it("never repeats a request whose outcome is unknown and matters", async () => {
    const { http, fetch } = options([lost, ok]);
    await expect(requestJson({ ...request, repeat: "once" }, http)).rejects.toMatchObject({
      kind: "network",
    });
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["the body", refused(429, { code: "RATE_LIMIT_EXCEEDED", message: "", retryAfter: 3 })],
    ["the header", refused(429, { code: "RATE_LIMIT_EXCEEDED", message: "" }, { "retry-after": "3" })],
  ])("obeys Retry-After from %s, also for a request not to be repeated", async (_, limited) => {
    const { http, slept } = options([limited, ok]);
    expect(await requestJson({ ...request, repeat: "once" }, http)).toEqual({ x: 7 });
    expect(slept).toEqual([3000]);
  });

  it("does not wait longer than a window", async () => {
    const { http, slept } = options([refused(429, { code: "RATE_LIMIT_EXCEEDED", retryAfter: 9999 }), ok]);
    await requestJson(request, http);
    expect(slept).toEqual([65_000]);
  });

  it("does not repeat what the node has refused", async () => {
    const { http, fetch } = options([refused(500, { code: "INTERNAL_SERVER_ERROR" }), ok]);
    await expect(requestJson(request, http)).rejects.toBeInstanceOf(SignallingError);
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});
