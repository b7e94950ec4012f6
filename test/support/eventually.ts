/**
 * Tries `check` until it returns something other than undefined or false, or stops throwing. For other
 * processes, which send no events; within a process tests wait for events instead.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  options: { readonly seconds?: number; readonly every?: number } = {},
): Promise<T> {
  const { seconds = 40, every = 50 } = options;
  const end = performance.now() + seconds * 1000;
  let last: unknown = 'nothing yet';
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(
        `waited ${seconds} s for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
