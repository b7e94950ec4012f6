import type { ResourceRequirements } from '../../proto/engine/task-spec.js';
import { parseBytes, parseCount, parseCpus } from '../flags/quantity.js';
import { setField } from './set-field.js';
import type { UpdateFlags } from './update-flags.js';

type ResourceFlags = Pick<UpdateFlags, 'limitCpu' | 'limitMemory' | 'limitPids' | 'reserveCpu' | 'reserveMemory'>;

/** Limits and reservations with their flags applied; 0 takes one away. */
export function patchResources(
  current: ResourceRequirements | undefined,
  flags: ResourceFlags,
): ResourceRequirements | undefined {
  const { limitCpu, limitMemory, limitPids, reserveCpu, reserveMemory } = flags;
  if ([limitCpu, limitMemory, limitPids, reserveCpu, reserveMemory].every((flag) => flag === undefined)) return current;
  const limits = { ...current?.Limits };
  if (limitCpu !== undefined) setField(limits, 'NanoCPUs', some(parseCpus('--limit-cpu', limitCpu)));
  if (limitMemory !== undefined) setField(limits, 'MemoryBytes', some(parseBytes('--limit-memory', limitMemory)));
  if (limitPids !== undefined) setField(limits, 'Pids', some(parseCount('--limit-pids', limitPids)));
  const reservations = { ...current?.Reservations };
  if (reserveCpu !== undefined) setField(reservations, 'NanoCPUs', some(parseCpus('--reserve-cpu', reserveCpu)));
  if (reserveMemory !== undefined) {
    setField(reservations, 'MemoryBytes', some(parseBytes('--reserve-memory', reserveMemory)));
  }
  return { ...current, Limits: limits, Reservations: reservations };
}

const some = (amount: number): number | undefined => (amount === 0 ? undefined : amount);
