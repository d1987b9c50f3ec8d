import { expect, test } from "vitest";
import { validationNeeds, validationSeconds } from "./validation-bounds.ts";

test("an attempt has longer than the agent has to start and to move, however long that is", () => {
  for (const startSeconds of [1, 30, 600, 3600])
    for (const actSeconds of [0.1, 5, 3600])
      expect(validationSeconds({ startSeconds, actSeconds })).toBeGreaterThan(startSeconds + actSeconds + 60);
  expect(Number.isInteger(validationSeconds({ startSeconds: 0.1, actSeconds: 0.2 }))).toBe(true);
});

test("a validation needs what its largest box may fill", () => {
  expect(validationNeeds({})).toEqual({ cpus: 1, memoryBytes: 2 ** 30 });
  expect(validationNeeds({ cpus: 2, memoryBytes: 2 ** 33 })).toEqual({ cpus: 2, memoryBytes: 2 ** 33 });
});
