import { expect, test } from "vitest";
import { SignalFlag } from "./signal-flag.ts";

const never = new AbortController().signal;
const HOUR = 3_600_000;

test("what was raised before the wait is not missed, and counts once", async () => {
  const flag = new SignalFlag();
  flag.raise();
  flag.raise();
  await flag.wait(HOUR, never);
  let over = false;
  const second = flag.wait(HOUR, never).then(() => {
    over = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(over).toBe(false);
  flag.raise();
  await second;
});

test("ends with the time, and with the signal", async () => {
  const flag = new SignalFlag();
  await flag.wait(5, never);
  const abort = new AbortController();
  const waiting = flag.wait(HOUR, abort.signal);
  abort.abort();
  await waiting;
  await flag.wait(HOUR, abort.signal);
});
