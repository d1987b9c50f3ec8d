/**
 * Gives back what came of `use` once the resource is closed. A close that fails takes no result away: it is told to
 * `onUnclosed`, and whatever was acquired before is closed all the same.
 */
export async function closing<R extends { close(): Promise<void> }, T>(
  resource: R,
  use: (resource: R) => Promise<T>,
  onUnclosed: (error: Error) => void,
): Promise<T> {
  try {
    return await use(resource);
  } finally {
    await resource.close().catch(onUnclosed);
  }
}
