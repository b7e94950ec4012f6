/** Something whose standing is one number: the less the better. */
interface Keyed {
  readonly key: number;
}

/**
 * Nodes, or branches of nodes, by their general standing, the best first. They get worse while they
 * are in heaps, and a node is in several at once, so a heap remembers the key at which it put an
 * item where it is, and looks again when the item comes up.
 *
 * Invariant: a remembered key is never worse than the item's own (keys only grow while heaps live),
 * so a first item whose key is remembered rightly is the best.
 */
export class KeyHeap<Item extends Keyed> {
  readonly #items: Item[] = [];
  readonly #keys: number[] = [];

  get first(): Item | undefined {
    for (let item = this.#items[0]; item !== undefined; item = this.#items[0]) {
      const { key } = item;
      if (this.#keys[0] === key) return item;
      this.#keys[0] = key;
      this.#sink();
    }
    return undefined;
  }

  /** The key of the first item; infinite when there is none. */
  get leastKey(): number {
    return this.first === undefined ? Infinity : (this.#keys[0] ?? Infinity);
  }

  add(item: Item): void {
    const { key } = item;
    let index = this.#items.push(item) - 1;
    this.#keys.push(key);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const other = this.#items[parent];
      const otherKey = this.#keys[parent] ?? 0;
      if (other === undefined || otherKey <= key) break;
      this.#items[index] = other;
      this.#keys[index] = otherKey;
      index = parent;
    }
    this.#items[index] = item;
    this.#keys[index] = key;
  }

  /** Takes out the first item, which `first` or `leastKey` must just have looked for. */
  removeFirst(): Item | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    const key = this.#keys.pop();
    if (last === undefined || key === undefined || this.#items.length === 0) return first;
    this.#items[0] = last;
    this.#keys[0] = key;
    this.#sink();
    return first;
  }

  #sink(): void {
    const item = this.#items[0];
    const key = this.#keys[0];
    if (item === undefined || key === undefined) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const leftKey = this.#keys[left] ?? Infinity;
      const rightKey = this.#keys[left + 1] ?? Infinity;
      const child = rightKey < leftKey ? left + 1 : left;
      const childKey = Math.min(leftKey, rightKey);
      const other = this.#items[child];
      if (other === undefined || childKey >= key) break;
      this.#items[index] = other;
      this.#keys[index] = childKey;
      index = child;
    }
    this.#items[index] = item;
    this.#keys[index] = key;
  }
}
