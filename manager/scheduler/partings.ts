import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import type { NodeObject } from '../store/objects.js';
import { BoundedMap } from './bounded-map.js';
import { otherPlatform } from './filters.js';
import { NodeColumns } from './node-columns.js';
import type { Requirement } from './requirement.js';

/** Partings kept for one list of nodes. */
const KEPT = 128;

/** Parts of them that are looked up when another is made. */
const KEPT_PARTS = 8_192;

/** Which nodes a requirement may use and how its spreads part them, as places in the list of all nodes. */
export interface Parting {
  /** Of the last level. */
  readonly members: readonly number[];
  /** Of the others: by the value of the spread preference. */
  readonly parts: ReadonlyMap<string, Parting>;
}

type Wanted = Pick<Requirement, 'conditions' | 'platforms' | 'spreads' | 'placementKey'>;

/**
 * The partings of one list of nodes. What nodes have free does not matter to them. Parts that hold the
 * same nodes are one object, in however many partings they are: requirements mostly differ in few.
 */
export class Partings {
  readonly #nodes: readonly NodeObject[];
  readonly #columns: NodeColumns;
  /** By `placementKey`. */
  readonly #known = new BoundedMap<Parting>(KEPT);
  /** By what tells parts apart at a glance. */
  readonly #parts = new BoundedMap<Parting>(KEPT_PARTS);

  constructor(nodes: readonly NodeObject[]) {
    this.#nodes = nodes;
    this.#columns = new NodeColumns(nodes);
  }

  of(wanted: Wanted): Parting {
    const known = this.#known.get(wanted.placementKey);
    if (known !== undefined) return known;
    const parting = this.#part(this.#fitting(wanted), wanted.spreads);
    this.#known.set(wanted.placementKey, parting);
    return parting;
  }

  #fitting(wanted: Wanted): readonly number[] {
    const { conditions, platforms } = wanted;
    const checks = conditions.map(({ attribute, holds }) => {
      const { codes, examples } = this.#columns.attribute(attribute);
      return { codes, passes: examples.map(holds) };
    });
    if (platforms.length > 0) {
      const { codes, examples } = this.#columns.platform();
      checks.push({ codes, passes: examples.map((node) => otherPlatform(wanted, node) === undefined) });
    }
    const fitting: number[] = [];
    for (let place = 0; place < this.#nodes.length; place += 1) {
      if (checks.every(({ codes, passes }) => passes[codes[place] ?? -1] === true)) fitting.push(place);
    }
    return fitting;
  }

  #part(members: readonly number[], [spread, ...others]: readonly NodeAttribute[]): Parting {
    if (spread === undefined) return this.#shared({ members, parts: new Map() });
    const { codes, values } = this.#columns.attribute(spread);
    const byCode = new Map<number, number[]>();
    for (const place of members) {
      const code = codes[place] ?? -1;
      const known = byCode.get(code);
      if (known === undefined) byCode.set(code, [place]);
      else known.push(place);
    }
    const parts = [...byCode].map(([code, inner]) => [values[code] ?? '', this.#part(inner, others)] as const);
    return this.#shared({ members: [], parts: new Map(parts) });
  }

  /** The part that is known with the same content, or this one. */
  #shared(part: Parting): Parting {
    const [first] = part.members;
    const [value] = part.parts.keys();
    const glance = `${first} ${part.members.at(-1)} ${part.members.length} ${part.parts.size} ${value}`;
    const known = this.#parts.get(glance);
    if (known !== undefined && isSame(known, part)) return known;
    this.#parts.set(glance, part);
    return part;
  }
}

/** Inner parts are shared themselves, so the same ones are the same objects. */
const isSame = (a: Parting, b: Parting): boolean =>
  a.members.length === b.members.length &&
  a.parts.size === b.parts.size &&
  a.members.every((place, index) => place === b.members[index]) &&
  [...a.parts].every(([value, part]) => b.parts.get(value) === part);

/** By the list of all nodes, which is another one as soon as a node changes. */
const PARTINGS = new WeakMap<readonly NodeObject[], Partings>();

export function partingsOf(nodes: readonly NodeObject[]): Partings {
  const known = PARTINGS.get(nodes) ?? new Partings(nodes);
  PARTINGS.set(nodes, known);
  return known;
}
