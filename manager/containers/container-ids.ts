import type { Commit, Store } from '../store/store-types.js';
import type { TaskObject } from '../store/objects.js';

/**
 * Which task each container belongs to. Made at the first question, since most managers are never asked,
 * and kept by the store's watch from then on.
 */
export class ContainerIds {
  readonly #store: Store;
  #tasks: Map<string, string> | undefined;
  #unwatch: (() => void) | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Ids of the tasks whose container's id begins with `beginning`; a whole id (64 digits) is found at once. */
  beginningWith = (beginning: string): readonly string[] => {
    const tasks = (this.#tasks ??= this.#read());
    const exact = tasks.get(beginning);
    if (exact !== undefined) return [exact];
    if (beginning.length >= CONTAINER_ID_LENGTH) return [];
    const found: string[] = [];
    for (const [container, task] of tasks) if (container.startsWith(beginning)) found.push(task);
    return found;
  };

  close(): Promise<void> {
    this.#unwatch?.();
    this.#tasks = undefined;
    return Promise.resolve();
  }

  #read(): Map<string, string> {
    this.#unwatch ??= this.#store.watch((commit) => {
      this.#follow(commit);
    });
    return new Map(this.#store.view.all('task').flatMap((task) => pairOf(task)));
  }

  #follow({ changes }: Commit): void {
    for (const change of changes) {
      if (change.table !== 'task') continue;
      const before = idOf(change.before);
      const after = idOf(change.after);
      if (before === after) continue;
      if (before !== '') this.#tasks?.delete(before);
      if (after !== '') this.#tasks?.set(after, change.id);
    }
  }
}

const CONTAINER_ID_LENGTH = 64;

const idOf = (task: TaskObject | undefined): string => task?.status.ContainerStatus?.ContainerID ?? '';

const pairOf = (task: TaskObject): [string, string][] => (idOf(task) === '' ? [] : [[idOf(task), task.id]]);
