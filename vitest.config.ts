import { defineConfig } from "vitest/config";

// Tests import the packages' sources (the "lanista-source" condition), so no build is needed to run one.
export default defineConfig({
  resolve: { conditions: ["lanista-source"] },
  ssr: { resolve: { conditions: ["lanista-source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // What is waited for comes; on a busy host it comes late.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
  },
});
