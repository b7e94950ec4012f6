/** What to do with the listeners of the published ports after a new table. */
export type ListenerAction =
  | { readonly kind: 'open'; readonly publishedPort: number; readonly reason: string }
  | { readonly kind: 'close'; readonly publishedPort: number; readonly reason: string };

/** Closes come first: a port that changed hands is free when it is opened again. */
export function planListeners(open: readonly number[], published: readonly number[]): readonly ListenerAction[] {
  const isOpen = new Set(open);
  const isPublished = new Set(published);
  return [
    ...open
      .filter((publishedPort) => !isPublished.has(publishedPort))
      .map((publishedPort) => ({ kind: 'close', publishedPort, reason: 'no service publishes it any more' }) as const),
    ...[...isPublished]
      .filter((publishedPort) => !isOpen.has(publishedPort))
      .map((publishedPort) => ({ kind: 'open', publishedPort, reason: 'a service publishes it' }) as const),
  ];
}
