import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import type { LineContext } from './log-line.js';

export interface NameOptions {
  readonly resolve: boolean;
  readonly taskIds: boolean;
  readonly trunc: boolean;
  /** Digits of the largest slot: names are padded to it. */
  readonly digits: number;
}

const SHORT_ID = 12;

/** What lines are headed by: `web.1.abcdefghijkl@h2`. Each name is asked for once; what is gone keeps its id. */
export class TaskNames {
  readonly #client: ApiClient;
  readonly #options: NameOptions;
  readonly #known = new Map<string, Promise<string>>();

  constructor(client: ApiClient, options: NameOptions) {
    this.#client = client;
    this.#options = options;
  }

  nameOf(context: LineContext): Promise<string> {
    return this.#once(context.taskId, () => this.#name(context));
  }

  async #name({ nodeId, serviceId, taskId }: LineContext): Promise<string> {
    const { taskIds, trunc, digits } = this.#options;
    const [service, node, slot] = await Promise.all([
      this.#resolved(
        serviceId,
        async () => (await this.#client.get<ServiceDocument>(`/services/${serviceId}`)).Spec.Name,
      ),
      this.#resolved(
        nodeId,
        async () => (await this.#client.get<NodeDocument>(`/nodes/${nodeId}`)).Description?.Hostname,
      ),
      this.#client.get<TaskDocument>(`/tasks/${taskId}`).then(
        ({ Slot = 0 }) => String(Slot),
        () => '?',
      ),
    ]);
    const id = taskIds ? `.${trunc ? taskId.slice(0, SHORT_ID) : taskId}` : '';
    return `${service}.${slot}${id}@${node}${' '.repeat(Math.max(0, digits - slot.length))}`;
  }

  async #resolved(id: string, name: () => Promise<string | undefined>): Promise<string> {
    if (!this.#options.resolve) return id;
    return this.#once(id, async () => (await name().catch(() => undefined)) ?? id);
  }

  #once(id: string, name: () => Promise<string>): Promise<string> {
    const known = this.#known.get(id) ?? name();
    this.#known.set(id, known);
    return known;
  }
}
