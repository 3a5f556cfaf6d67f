import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TokenKeeper } from "./token";

const START = Date.parse("2026-01-01T00:00:00Z");
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

describe("TokenKeeper", () => {
  beforeEach(() => vi.useFakeTimers({ now: START }));
  afterEach(() => vi.useRealTimers());

  it("renews at four fifths of the lifetime, again and again", async () => {
    let count = 0;
    const renew = vi.fn(() => {
      count += 1;
      return Promise.resolve({ token: `t${String(count)}`, tokenExpiresAt: inSeconds(100) });
    });
    const keeper = new TokenKeeper({ token: "t0", tokenExpiresAt: inSeconds(100) }, renew);
    await vi.advanceTimersByTimeAsync(79_000);
    expect(keeper.current).toBe("t0");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(keeper.current).toBe("t1");
    expect(renew).toHaveBeenCalledWith("t0");
    await vi.advanceTimersByTimeAsync(81_000);
    expect(keeper.current).toBe("t2");
    keeper.close();
  });

  it("keeps trying when the server cannot be reached", async () => {
    const renew = vi
      .fn<() => Promise<{ token: string; tokenExpiresAt: string }>>()
      .mockRejectedValueOnce(new Error("down"))
      .mockResolvedValue({ token: "new", tokenExpiresAt: "2026-01-01T10:00:00Z" });
    const keeper = new TokenKeeper({ token: "old", tokenExpiresAt: inSeconds(100) }, renew);
    await vi.advanceTimersByTimeAsync(81_000);
    expect(keeper.current).toBe("old");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(keeper.current).toBe("new");
    keeper.close();
  });

  it("stops with the call, also in the middle of a renewal", async () => {
    let finish: (grant: { token: string; tokenExpiresAt: string }) => void = () => undefined;
    const keeper = new TokenKeeper(
      { token: "old", tokenExpiresAt: inSeconds(10) },
      () => new Promise((resolve) => (finish = resolve)),
    );
    await vi.advanceTimersByTimeAsync(9_000);
    keeper.close();
    finish({ token: "late", tokenExpiresAt: inSeconds(10) });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keeper.current).toBe("old");
    expect(vi.getTimerCount()).toBe(0);
  });
});
