import { BaleError } from '../../core/errors.js';
import { parseGenericResources } from '../../proto/engine/generic-resource.js';
import type { GenericResource, ResourceRequirements } from '../../proto/engine/task-spec.js';
import { parseBytes, parseCount, parseCpus, parseSwap } from '../flags/quantity.js';
import { swappiness } from '../flags/service-spec.js';
import { setField } from './set-field.js';
import type { UpdateFlags } from './update-flags.js';

type List = readonly string[];

/** Limits and reservations with their flags applied; 0 takes one away. */
export function patchResources(
  current: ResourceRequirements | undefined,
  flags: UpdateFlags,
): ResourceRequirements | undefined {
  const { limitCpu, limitMemory, limitPids, reserveCpu, reserveMemory, genericResourceAdd, genericResourceRm } = flags;
  const { memorySwap, memorySwappiness } = flags;
  const limited = [limitCpu, limitMemory, limitPids, memorySwap, memorySwappiness];
  const given = [...limited, reserveCpu, reserveMemory, genericResourceAdd, genericResourceRm];
  if (given.every((flag) => flag === undefined)) return current;
  const limits = { ...current?.Limits };
  if (limitCpu !== undefined) setField(limits, 'NanoCPUs', some(parseCpus('--limit-cpu', limitCpu)));
  if (limitMemory !== undefined) setField(limits, 'MemoryBytes', some(parseBytes('--limit-memory', limitMemory)));
  if (limitPids !== undefined) setField(limits, 'Pids', some(parseCount('--limit-pids', limitPids)));
  const reservations = { ...current?.Reservations };
  if (reserveCpu !== undefined) setField(reservations, 'NanoCPUs', some(parseCpus('--reserve-cpu', reserveCpu)));
  if (reserveMemory !== undefined) {
    setField(reservations, 'MemoryBytes', some(parseBytes('--reserve-memory', reserveMemory)));
  }
  const generics = patchGenerics(reservations.GenericResources, genericResourceAdd, genericResourceRm);
  setField(reservations, 'GenericResources', generics);
  const resources: ResourceRequirements = { ...current, Limits: limits, Reservations: reservations };
  if (memorySwap !== undefined) resources.SwapBytes = parseSwap('--memory-swap', memorySwap);
  if (memorySwappiness !== undefined) {
    const value = swappiness(memorySwappiness);
    setField(resources, 'MemorySwappiness', value < 0 ? undefined : value);
  }
  return resources;
}

/** One that is added replaces those of its kind; to remove a kind that is not there is an error, as for docker. */
function patchGenerics(current: readonly GenericResource[] = [], add: List = [], remove: List = []): GenericResource[] {
  const added = parseGenericResources(add);
  const kinds = new Set(added.map(kindOf));
  const resources = [...current.filter((resource) => !kinds.has(kindOf(resource))), ...added];
  for (const kind of remove) {
    if (resources.some((resource) => kindOf(resource) === kind)) continue;
    throw new BaleError(`could not find generic-resource \`${kind}\` to remove it`, {
      kind: 'invalid',
      code: 'BALE_FLAG_INVALID',
    });
  }
  return resources.filter((resource) => !remove.includes(kindOf(resource)));
}

const kindOf = ({ NamedResourceSpec: named, DiscreteResourceSpec: discrete }: GenericResource): string =>
  (named ?? discrete)?.Kind ?? '';

const some = (amount: number): number | undefined => (amount === 0 ? undefined : amount);
