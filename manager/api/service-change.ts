import { insertServiceDefaults } from '../../proto/engine/service-defaults.js';
import { modeOf } from '../../proto/engine/service-mode.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { BaleError } from '../../core/errors.js';
import type { ServiceObject } from '../store/objects.js';
import { outOfSequence, unimplemented } from './api-errors.js';

export type ServiceChange =
  | { readonly kind: 'refuse'; readonly error: BaleError; readonly reason: string }
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'write'; readonly spec: ServiceSpec; readonly reason: string };

/**
 * What an update of a service comes to. A part that only writes defaults out stays the very object it
 * was, so that a client which echoes inserted defaults changes nothing.
 */
export function decideServiceUpdate(current: ServiceObject, version: number, wanted: ServiceSpec): ServiceChange {
  const { spec } = current;
  if (wanted.Name !== spec.Name) return refuse(unimplemented('renaming services is not supported'), 'another name');
  if (modeOf(wanted.Mode) !== modeOf(spec.Mode)) {
    return refuse(unimplemented('service mode change is not allowed'), 'another mode');
  }
  if (version !== current.version) return refuse(outOfSequence(), `version ${version} is not ${current.version}`);
  const path = firstDifference(comparable(spec), comparable(wanted), '');
  if (path === undefined) return { kind: 'nothing', reason: 'the spec is the same' };
  return { kind: 'write', spec: withKeptParts(spec, wanted), reason: `${path} changed` };
}

function withKeptParts(spec: ServiceSpec, wanted: ServiceSpec): ServiceSpec {
  const before = comparable(spec);
  const after = comparable(wanted);
  const isSame = (part: keyof ServiceSpec): boolean => firstDifference(before[part], after[part], '') === undefined;
  const { UpdateConfig, RollbackConfig, EndpointSpec, ...rest } = wanted;
  const kept = <Part extends 'UpdateConfig' | 'RollbackConfig' | 'EndpointSpec'>(
    part: Part,
    sent: ServiceSpec[Part],
  ): ServiceSpec[Part] => (isSame(part) ? spec[part] : sent);
  const update = kept('UpdateConfig', UpdateConfig);
  const rollback = kept('RollbackConfig', RollbackConfig);
  const endpoint = kept('EndpointSpec', EndpointSpec);
  return {
    ...rest,
    TaskTemplate: isSame('TaskTemplate') ? spec.TaskTemplate : wanted.TaskTemplate,
    ...(update === undefined ? {} : { UpdateConfig: update }),
    ...(rollback === undefined ? {} : { RollbackConfig: rollback }),
    ...(endpoint === undefined ? {} : { EndpointSpec: endpoint }),
  };
}

const refuse = (error: BaleError, reason: string): ServiceChange => ({ kind: 'refuse', error, reason });

/** A spec with its defaults filled in. */
const comparable = (spec: ServiceSpec): ServiceSpec => {
  const filled = insertServiceDefaults(spec);
  return { ...filled, EndpointSpec: { Mode: 'vip', ...spec.EndpointSpec } };
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The path of the first difference of two JSON values; an empty object or list equals an absent one. */
function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (a === b) return undefined;
  const list = Array.isArray(a) || Array.isArray(b);
  if (list && lengthOf(a) !== lengthOf(b)) return path;
  const left = isRecord(a) ? a : a === undefined ? {} : undefined;
  const right = isRecord(b) ? b : b === undefined ? {} : undefined;
  if (left === undefined || right === undefined) return path;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const inner = list ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = firstDifference(own(left, key), own(right, key), inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

const own = (record: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : undefined;
