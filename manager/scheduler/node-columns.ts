import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import type { NodeObject } from '../store/objects.js';
import { BoundedMap } from './bounded-map.js';
import { nodeValue } from './node-value.js';

/** Columns kept for one list of nodes. */
const KEPT = 64;

/** One thing that nodes have in different values: each value once, and which of them a node has. */
export interface Column {
  /** By the place of the node in the list: the place of its value among `examples`. */
  readonly codes: readonly number[];
  /** The first node with each value. */
  readonly examples: readonly NodeObject[];
  /** The values in the order of `examples`. */
  readonly values: readonly string[];
}

/**
 * A list of nodes read by columns: thousands of nodes have some tens of different values, so what
 * depends on one value is asked once for each of these.
 */
export class NodeColumns {
  readonly #nodes: readonly NodeObject[];
  readonly #columns = new BoundedMap<Column>(KEPT);

  constructor(nodes: readonly NodeObject[]) {
    this.#nodes = nodes;
  }

  attribute(attribute: NodeAttribute): Column {
    const label = 'label' in attribute ? attribute.label : '';
    return this.#column(`${attribute.kind} ${label}`, (node) => nodeValue(node, attribute));
  }

  /** Operating system and architecture as the node reports them. */
  platform(): Column {
    return this.#column('platform', ({ description }) =>
      JSON.stringify([description?.Platform.OS, description?.Platform.Architecture]),
    );
  }

  #column(name: string, valueOf: (node: NodeObject) => string): Column {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const byValue = new Map<string, number>();
    const examples: NodeObject[] = [];
    const codes = this.#nodes.map((node) => {
      const value = valueOf(node);
      const code = byValue.get(value);
      if (code !== undefined) return code;
      byValue.set(value, examples.length);
      return examples.push(node) - 1;
    });
    const column = { codes, examples, values: [...byValue.keys()] };
    this.#columns.set(name, column);
    return column;
  }
}
