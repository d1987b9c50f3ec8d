import { defineConfig } from "vitest/config";

/** Starve the whole host on purpose: whatever ran beside them would be starved too. */
const STARVING = ["packages/arena/src/timing.test.ts", "test/threats/starved.test.ts"];
const exclude = ["**/node_modules/**", "**/dist/**"];

// Tests import the packages' sources (the "lanista-source" condition), so no build is needed to run one.
export default defineConfig({
  resolve: { conditions: ["lanista-source"] },
  ssr: { resolve: { conditions: ["lanista-source"] } },
  test: {
    // What is waited for comes; on a busy host it comes late.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "side by side",
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: [...exclude, ...STARVING],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: STARVING, exclude, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
