import type { Refusal } from './filters.js';
import type { Requirement, Resources } from './requirement.js';

type RefusalOf<Filter extends Refusal['filter']> = Extract<Refusal, { filter: Filter }>;

/** More names than this are not read by anybody. */
const NAMES = 3;

/**
 * Why no node takes a task, as the Engine's users know it (`no suitable node (insufficient resources
 * on 2 nodes; 1 node not available for new tasks)`), the widest cause first, each with what would help.
 */
export const explain = (requirement: Requirement, refusals: readonly Refusal[]): string =>
  refusals.length === 0
    ? 'no suitable node (the swarm has no nodes)'
    : `no suitable node (${explainCauses(requirement, refusals)})`;

/** The causes alone. */
export function explainCauses(requirement: Requirement, refusals: readonly Refusal[]): string {
  const causes = [
    resourceCause(requirement, refusals.filter(isOf('resources'))),
    constraintCause(refusals.filter(isOf('constraint'))),
    portCause(refusals.filter(isOf('host-port'))),
    platformCause(requirement, refusals.filter(isOf('platform'))),
    replicaCause(requirement, refusals.filter(isOf('max-replicas'))),
    readyCause(refusals.filter(isOf('ready'))),
  ];
  const texts = causes
    .filter((cause) => cause.nodes > 0)
    .sort((a, b) => b.nodes - a.nodes)
    .map((cause) => cause.text);
  return texts.join('; ');
}

interface Cause {
  readonly nodes: number;
  readonly text: string;
}

function resourceCause({ reserved }: Requirement, refusals: readonly RefusalOf<'resources'>[]): Cause {
  const lacks = [
    lack(refusals, (amounts) => amounts.memoryBytes, reserved.memoryBytes, formatBytes, ' of memory'),
    lack(refusals, (amounts) => amounts.nanoCpus, reserved.nanoCpus, formatCpus, ''),
    genericLack(refusals),
  ].filter((text) => text !== undefined);
  const detail =
    lacks.length > 0
      ? lacks.join('; ')
      : `no node has ${formatCpus(reserved.nanoCpus)} and ${formatBytes(reserved.memoryBytes)} of memory free at once`;
  return { nodes: refusals.length, text: `insufficient resources on ${nodes(refusals.length)}: ${detail}` };
}

/** Text when no refused node has enough of one resource; undefined when that resource is not what lacks. */
function lack(
  refusals: readonly RefusalOf<'resources'>[],
  amountOf: (amounts: Resources) => number,
  needed: number,
  format: (amount: number) => string,
  unit: string,
): string | undefined {
  const [first, ...rest] = refusals;
  if (first === undefined) return undefined;
  const best = rest.reduce((most, other) => (amountOf(other.free) > amountOf(most.free) ? other : most), first);
  const most = amountOf(best.free);
  if (most >= needed) return undefined;
  const has = refusals.length === 1 ? 'has' : 'has the most,';
  const free = `${format(Math.max(0, most))} free of ${format(amountOf(best.total))}`;
  return `needs ${format(needed)}${unit}, ${best.node} ${has} ${free}${holders(best.reservedBy())}`;
}

function genericLack(refusals: readonly RefusalOf<'resources'>[]): string | undefined {
  const lacking = refusals.flatMap(({ generics, reservedBy }) =>
    generics === undefined ? [] : { generics, reservedBy },
  );
  const [best, ...others] = lacking.sort((a, b) => b.generics.free - a.generics.free);
  if (best === undefined) return undefined;
  const more = others.length === 0 ? '' : `; ${nodes(others.length)} more likewise`;
  return `${best.generics.text}${holders(best.reservedBy())}${more}`;
}

const holders = (services: readonly string[]): string =>
  services.length === 0 ? '' : `, reserved by ${some(services)}`;

const constraintCause = (refusals: readonly RefusalOf<'constraint'>[]): Cause => ({
  nodes: refusals.length,
  text: `scheduling constraints not satisfied on ${nodes(refusals.length)}: ${some(refusals.map(({ constraint }) => constraint))}`,
});

const replicaCause = ({ maxReplicas }: Requirement, refusals: readonly RefusalOf<'max-replicas'>[]): Cause => ({
  nodes: refusals.length,
  text: `max replicas per node limit exceed on ${nodes(refusals.length)}: at most ${maxReplicas} of the service may be on a node`,
});

const portCause = (refusals: readonly RefusalOf<'host-port'>[]): Cause => ({
  nodes: refusals.length,
  text: `host-mode port already in use on ${nodes(refusals.length)}: ${some(refusals.map(({ hostPort }) => hostPort))}`,
});

function platformCause({ platforms }: Requirement, refusals: readonly RefusalOf<'platform'>[]): Cause {
  const wanted = platforms.map(({ OS, Architecture }) => `${OS ?? '*'}/${Architecture ?? '*'}`);
  const found = some(refusals.map(({ platform }) => platform));
  return {
    nodes: refusals.length,
    text: `unsupported platform on ${nodes(refusals.length)}: needs ${some(wanted)}, found ${found}`,
  };
}

const readyCause = (refusals: readonly RefusalOf<'ready'>[]): Cause => ({
  nodes: refusals.length,
  text: `${nodes(refusals.length)} not available for new tasks: ${some(refusals.map(({ node, cause }) => `${node} ${cause}`))}`,
});

const isOf =
  <Filter extends Refusal['filter']>(filter: Filter) =>
  (refusal: Refusal): refusal is RefusalOf<Filter> =>
    refusal.filter === filter;

const nodes = (count: number): string => (count === 1 ? '1 node' : `${count} nodes`);

/** The first few different ones. */
function some(texts: readonly string[]): string {
  const different = [...new Set(texts)];
  const more = different.length - NAMES;
  return different.slice(0, NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${round(bytes / 1024 ** power)} ${UNITS[power] ?? 'bytes'}`;
}

function formatCpus(nanoCpus: number): string {
  const cpus = round(nanoCpus / 1e9);
  return `${cpus} CPU${cpus === 1 ? '' : 's'}`;
}

/** Down to hundredths, so that what is free never reads as more than it is. */
const round = (value: number): number => Math.floor(value * 100) / 100;
