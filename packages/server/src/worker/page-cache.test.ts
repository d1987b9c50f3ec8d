import { expect, test } from "vitest";
import { fieldOf, placesOf, reclaimableBytes } from "./page-cache.ts";

test("the group is found by either version's line, and in a container at the root", () => {
  expect(placesOf("5:cpu:/a\n4:memory:/b/c\n0::/d\n")).toEqual([
    { folder: "/sys/fs/cgroup/memory/b/c", field: "total_inactive_file" },
    { folder: "/sys/fs/cgroup/memory", field: "total_inactive_file" },
  ]);
  expect(placesOf("0::/user.slice/a:b\n")).toEqual([
    { folder: "/sys/fs/cgroup/user.slice/a:b", field: "inactive_file" },
    { folder: "/sys/fs/cgroup", field: "inactive_file" },
  ]);
  expect(placesOf("0::/\n")[0]?.folder).toBe("/sys/fs/cgroup");
  expect(placesOf("")).toEqual([]);
});

test("only the field asked for is read, and what is none is nothing", async () => {
  const stat = "total_inactive_file_x 5\ninactive_file 7\ntotal_inactive_file 9\n";
  expect(fieldOf(stat, "inactive_file")).toBe(7);
  expect(fieldOf(stat, "total_inactive_file")).toBe(9);
  expect(fieldOf(stat, "absent")).toBe(0);
  expect(await reclaimableBytes()).toBeGreaterThanOrEqual(0);
});
