/**
 * Freezes a row and all that hangs on it, so that a caller who keeps a reference cannot change the
 * truth behind the store's back. What is frozen already is not walked again: a new row that shares
 * the spec of the old one costs only its new parts.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
