/** Lists and maps of a spec whose elements are told apart by a key. docker's CLI has three habits of merging them. */

type List = readonly string[];

const keyOf = (text: string): string => text.split('=', 1)[0] ?? '';

/** Labels and sysctls: what shall go goes first, so that add and rm of one key add it. Keys that are not there are no error. */
export function patchMap(
  current: Readonly<Record<string, string>> | undefined,
  add: Readonly<Record<string, string>>,
  remove: List = [],
): Record<string, string> {
  const gone = new Set(remove.map(keyOf));
  return { ...Object.fromEntries(Object.entries(current ?? {}).filter(([key]) => !gone.has(key))), ...add };
}

/** Environment lines: as `patchMap`, each variable keeping its place. */
export function patchEnvironment(current: List | undefined, add: List, remove: List = []): string[] {
  const gone = new Set(remove);
  const lines = new Map((current ?? []).map((line) => [keyOf(line), line]));
  for (const key of gone) lines.delete(key);
  for (const line of add) lines.set(keyOf(line), line);
  return [...lines.values()];
}

/** Groups and DNS settings: what shall go goes last, so that add and rm of one value remove it. Sorted, each once. */
export function patchSet(current: List | undefined, add: List = [], remove: List = []): string[] {
  const gone = new Set(remove);
  return [...new Set([...(current ?? []), ...add])].filter((value) => !gone.has(value)).sort();
}

/** Elements with names, e.g. ulimits: as `patchMap`, sorted by name. */
export function patchNamed<T extends { readonly Name: string }>(
  current: readonly T[] | undefined,
  add: readonly T[],
  remove: List = [],
): T[] {
  const gone = new Set(remove.map(keyOf));
  const named = new Map(
    (current ?? []).filter(({ Name }) => !gone.has(Name)).map((element) => [element.Name, element]),
  );
  for (const element of add) named.set(element.Name, element);
  return [...named.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1));
}
