/** A binary heap whose first element is the least by `compare`. */
export class Heap<Item> {
  readonly #items: Item[];
  readonly #compare: (a: Item, b: Item) => number;

  /** Linear in the number of items. */
  constructor(items: Iterable<Item>, compare: (a: Item, b: Item) => number) {
    this.#items = [...items];
    this.#compare = compare;
    for (let index = (this.#items.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  /** Moves the first element to its new place after it changed for the worse. */
  lowerFirst(): void {
    this.#sink(0);
  }

  add(item: Item): void {
    let index = this.#items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isLess(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  removeFirst(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    this.#items[0] = last;
    this.#sink(0);
  }

  #sink(start: number): void {
    let index = start;
    for (;;) {
      const child = this.#lesserChild(index);
      if (child === undefined || !this.#isLess(child, index)) return;
      this.#swap(index, child);
      index = child;
    }
  }

  #lesserChild(index: number): number | undefined {
    const left = 2 * index + 1;
    if (left >= this.#items.length) return undefined;
    const right = left + 1;
    return right < this.#items.length && this.#isLess(right, left) ? right : left;
  }

  #isLess(a: number, b: number): boolean {
    const itemA = this.#items[a];
    const itemB = this.#items[b];
    return itemA !== undefined && itemB !== undefined && this.#compare(itemA, itemB) < 0;
  }

  #swap(a: number, b: number): void {
    const itemA = this.#items[a];
    const itemB = this.#items[b];
    if (itemA === undefined || itemB === undefined) return;
    this.#items[a] = itemB;
    this.#items[b] = itemA;
  }
}
