import type { OpenNode } from './open-node.js';

/**
 * Nodes by their general standing, the best first. Nodes get worse while they are in heaps, and a
 * node is in several at once, so a heap remembers the key at which it put a node where it is, and
 * looks again when the node comes up.
 *
 * Invariant: a remembered key is never worse than the node's own (keys only grow while heaps live),
 * so a first node whose key is remembered rightly is the best.
 */
export class NodeHeap {
  readonly #nodes: OpenNode[] = [];
  readonly #keys: number[] = [];

  get first(): OpenNode | undefined {
    for (let node = this.#nodes[0]; node !== undefined; node = this.#nodes[0]) {
      if (this.#keys[0] === node.key) return node;
      this.#keys[0] = node.key;
      this.#sink();
    }
    return undefined;
  }

  add(node: OpenNode): void {
    const { key } = node;
    let index = this.#nodes.push(node) - 1;
    this.#keys.push(key);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const other = this.#nodes[parent];
      const otherKey = this.#keys[parent] ?? 0;
      if (other === undefined || otherKey <= key) break;
      this.#nodes[index] = other;
      this.#keys[index] = otherKey;
      index = parent;
    }
    this.#nodes[index] = node;
    this.#keys[index] = key;
  }

  removeFirst(): void {
    const last = this.#nodes.pop();
    const key = this.#keys.pop();
    if (last === undefined || key === undefined || this.#nodes.length === 0) return;
    this.#nodes[0] = last;
    this.#keys[0] = key;
    this.#sink();
  }

  #sink(): void {
    const node = this.#nodes[0];
    const key = this.#keys[0];
    if (node === undefined || key === undefined) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const leftKey = this.#keys[left] ?? Infinity;
      const rightKey = this.#keys[left + 1] ?? Infinity;
      const child = rightKey < leftKey ? left + 1 : left;
      const childKey = Math.min(leftKey, rightKey);
      const other = this.#nodes[child];
      if (other === undefined || childKey >= key) break;
      this.#nodes[index] = other;
      this.#keys[index] = childKey;
      index = child;
    }
    this.#nodes[index] = node;
    this.#keys[index] = key;
  }
}
