/** Keys that may be left out. */
type OptionalKey<T> = { [K in keyof T]-?: T extends Record<K, T[K]> ? never : K }[keyof T];

/**
 * Sets a field of a document, or takes it away when the value says nothing (absent, an empty text,
 * list or map): the Engine's documents have no empty fields. Zero and false say something.
 */
export function setField<T extends object, K extends OptionalKey<T>>(
  document: T,
  key: K,
  value: T[K] | undefined,
): void {
  if (value === undefined || isEmpty(value)) Reflect.deleteProperty(document, key);
  else document[key] = value;
}

function isEmpty(value: unknown): boolean {
  if (value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
