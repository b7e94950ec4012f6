import { DEPENDS, dependsOf } from '../../proto/engine/depends-label.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { specError } from '../../proto/engine/spec-error.js';
import type { View } from '../store/store-types.js';

type Named = Pick<ServiceSpec, 'Name' | 'Labels'>;

/** Services that wait for each other in a circle would never start. Throws BALE_SPEC_INVALID (400) with the circle. */
export function checkDependencies(view: Pick<View, 'serviceByName'>, spec: Named): void {
  const circle = findCircle(spec.Name, (name) =>
    dependsOf(name === spec.Name ? spec.Labels : (view.serviceByName(name)?.spec.Labels ?? {})),
  );
  if (circle === undefined) return;
  throw specError(`label "${DEPENDS}": services would wait for each other: ${circle.join(' -> ')}`);
}

/** The way from a service through those that it depends on back to itself; undefined when there is none. */
export function findCircle(
  start: string,
  dependsOn: (name: string) => readonly string[],
): readonly string[] | undefined {
  const seen = new Set<string>();
  const ways = [[start]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const name of dependsOn(way.at(-1) ?? start)) {
      if (name === start) return [...way, start];
      if (seen.has(name)) continue;
      seen.add(name);
      ways.push([...way, name]);
    }
  }
  return undefined;
}

/** Services are made in any order, so one that is not there is no error. The user is told, for it may be a slip. */
export const unknownDependencies = (view: Pick<View, 'serviceByName'>, { Labels }: Named): readonly string[] =>
  dependsOf(Labels)
    .filter((name) => view.serviceByName(name) === undefined)
    .map((name) => `label "${DEPENDS}": there is no service ${name} yet; tasks wait until there is one`);
