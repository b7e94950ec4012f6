import type { ServiceSpec } from './service-spec.js';
import { specError } from './spec-error.js';

/** Names of services, separated by commas, that the tasks of a service wait for at its start. */
export const DEPENDS = 'bale.depends';

/** The names, in the order given; empty when there is no such label. */
export function dependsOf(labels: Readonly<Record<string, string>>): readonly string[] {
  const text = Object.hasOwn(labels, DEPENDS) ? (labels[DEPENDS] ?? '') : '';
  return text === '' ? [] : text.split(',').map((name) => name.trim());
}

/** Throws BALE_SPEC_INVALID (400). */
export function checkDepends({ Labels }: ServiceSpec): void {
  const value = Labels[DEPENDS] ?? '';
  const names = dependsOf(Labels);
  const wrong = names.length === 0 || names.some((name) => !/^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(name));
  if (wrong) {
    throw specError(
      `label "${DEPENDS}" must be names of services separated by commas, for example db,cache, got ${JSON.stringify(value)}`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw specError(`label "${DEPENDS}" names the service ${twice} twice`);
}
