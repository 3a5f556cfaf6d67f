import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Files that need a page say so themselves; starting one takes longer than most tests.
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 10_000,
  },
});
