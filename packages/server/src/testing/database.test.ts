import { expect, test } from "vitest";
import { testDatabase } from "./database.ts";

test("each call gives a migrated database of its own, and closing it twice is closing it once", async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  try {
    await one.db.insertInto("settings").values({ key: "a", value: "1" }).execute();
    expect(await one.db.selectFrom("settings").selectAll().execute()).toEqual([{ key: "a", value: 1 }]);
    expect(await two.db.selectFrom("settings").selectAll().execute()).toEqual([]);
  } finally {
    await one.close();
    await one.close();
    await two.close();
  }
});
