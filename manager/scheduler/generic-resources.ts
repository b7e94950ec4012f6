import type { GenericResource } from '../../proto/engine/task-spec.js';

/** What a task asks of one kind: things by their names, and a number of any others. */
export interface GenericNeed {
  readonly kind: string;
  readonly names: readonly string[];
  readonly count: number;
}

const NOTHING: readonly GenericNeed[] = [];

/** The needs of a reservation, one for each kind. */
export function genericNeeds(reserved: readonly GenericResource[] | undefined): readonly GenericNeed[] {
  if (reserved === undefined || reserved.length === 0) return NOTHING;
  const needs = new Map<string, GenericNeed>();
  const of = (kind: string): GenericNeed => needs.get(kind) ?? { kind, names: [], count: 0 };
  for (const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } of reserved) {
    if (named !== undefined) {
      const need = of(named.Kind);
      needs.set(named.Kind, { ...need, names: [...new Set([...need.names, named.Value])] });
    }
    if (discrete !== undefined && discrete.Value > 0) {
      const need = of(discrete.Kind);
      needs.set(discrete.Kind, { ...need, count: need.count + discrete.Value });
    }
  }
  return [...needs.values()];
}

/** What tasks hold of one node's generic resources. */
export class GenericTally {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<string, Set<string>>();

  take(resources: readonly GenericResource[]): void {
    for (const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } of resources) {
      if (named !== undefined) {
        const names = this.#names.get(named.Kind) ?? new Set();
        this.#names.set(named.Kind, names.add(named.Value));
      }
      if (discrete !== undefined) {
        this.#numbers.set(discrete.Kind, this.number(discrete.Kind) + discrete.Value);
      }
    }
  }

  giveBack(resources: readonly GenericResource[]): void {
    for (const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } of resources) {
      if (named !== undefined) this.#names.get(named.Kind)?.delete(named.Value);
      if (discrete !== undefined) this.#numbers.set(discrete.Kind, this.number(discrete.Kind) - discrete.Value);
    }
  }

  number(kind: string): number {
    return this.#numbers.get(kind) ?? 0;
  }

  has(kind: string, name: string): boolean {
    return this.#names.get(kind)?.has(name) ?? false;
  }

  clone(): GenericTally {
    const copy = new GenericTally();
    for (const [kind, number] of this.#numbers) copy.#numbers.set(kind, number);
    for (const [kind, names] of this.#names) copy.#names.set(kind, new Set(names));
    return copy;
  }
}

/** What of one kind a node offers and nobody holds. */
interface FreeKind {
  /** Undefined when the things of this kind have no names. */
  readonly names?: readonly string[];
  readonly count: number;
  readonly total: number;
}

function freeOfKind(kind: string, offered: readonly GenericResource[], held: GenericTally): FreeKind {
  const names = offered.flatMap(({ NamedResourceSpec: named }) => (named?.Kind === kind ? [named.Value] : []));
  if (names.length > 0) {
    const free = names.filter((name) => !held.has(kind, name));
    return { names: free, count: free.length, total: names.length };
  }
  const total = offered.reduce(
    (sum, { DiscreteResourceSpec: discrete }) => (discrete?.Kind === kind ? sum + Math.max(0, discrete.Value) : sum),
    0,
  );
  return { count: total - held.number(kind), total };
}

/** The resources that a task gets on a node: the first free ones as the node named them; undefined when they do not suffice. */
export function chooseGenerics(
  needs: readonly GenericNeed[],
  offered: readonly GenericResource[],
  held: GenericTally,
): readonly GenericResource[] | undefined {
  const chosen: GenericResource[] = [];
  for (const { kind, names, count } of needs) {
    const free = freeOfKind(kind, offered, held);
    const wished = names.every((name) => free.names?.includes(name) ?? false);
    if (!wished || free.count < names.length + count) return undefined;
    if (free.names === undefined) chosen.push({ DiscreteResourceSpec: { Kind: kind, Value: count } });
    else {
      const others = free.names.filter((name) => !names.includes(name)).slice(0, count);
      chosen.push(...[...names, ...others].map((name) => ({ NamedResourceSpec: { Kind: kind, Value: name } })));
    }
  }
  return chosen;
}

/** What of the needs a node cannot give. */
export interface GenericLack {
  /** `needs 2 gpu, h2 has 1 free of 4`. */
  readonly text: string;
  readonly free: number;
}

/** Undefined when the node can give all of it. */
export function lackOfGenerics(
  needs: readonly GenericNeed[],
  offered: readonly GenericResource[],
  held: GenericTally,
  node: string,
): GenericLack | undefined {
  for (const { kind, names, count } of needs) {
    const free = freeOfKind(kind, offered, held);
    const missing = names.find((name) => !(free.names?.includes(name) ?? false));
    if (missing !== undefined)
      return { text: `needs ${kind} ${missing}, which is not free on ${node}`, free: free.count };
    const wanted = names.length + count;
    if (free.count < wanted) {
      const text = `needs ${wanted} ${kind}, ${node} has ${Math.max(0, free.count)} free of ${free.total}`;
      return { text, free: free.count };
    }
  }
  return undefined;
}

/** Resources that were given to a task and that its node does not offer any more. */
export const goneGenerics = (
  given: readonly GenericResource[],
  offered: readonly GenericResource[],
): readonly GenericResource[] =>
  given.filter(({ NamedResourceSpec: named, DiscreteResourceSpec: discrete }) => {
    if (discrete !== undefined) return freeOfKind(discrete.Kind, offered, new GenericTally()).count < discrete.Value;
    return !offered.some(({ NamedResourceSpec: own }) => own?.Kind === named?.Kind && own?.Value === named?.Value);
  });
