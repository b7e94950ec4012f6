import { createHmac } from 'node:crypto';
import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import type { Affinity } from './affinity.js';
import { plainAddress } from './ip-bytes.js';

/**
 * How the clients of one sticky port are known again: those of HTTP by a cookie, others by their address.
 *
 * The cookie's value is a keyed hash of the task, so nothing has to be kept or told: each mesh
 * process of each node knows every cookie, also one that has just started. It leads back to no task id.
 */
export class Stickiness {
  readonly #name: string;
  readonly #serviceId: string;
  /** Of the active endpoints alone: a cookie that names another is as none. */
  readonly #taskByToken: ReadonlyMap<string, string>;
  readonly #tokenByTask: ReadonlyMap<string, string>;

  /** `before`: that of the table before, whose hashes need not be made again. */
  constructor({ serviceId, serviceName, endpoints }: PublishedPort, before?: Stickiness) {
    this.#name = `bale_${serviceName}`;
    this.#serviceId = serviceId;
    const known = before !== undefined && before.#serviceId === serviceId ? before.#tokenByTask : undefined;
    const active = endpoints.filter(({ state }) => state === 'active').map(({ taskId }) => taskId);
    this.#tokenByTask = new Map(active.map((taskId) => [taskId, known?.get(taskId) ?? token(serviceId, taskId)]));
    this.#taskByToken = new Map([...this.#tokenByTask].map(([taskId, each]) => [each, taskId]));
  }

  ofAddress(address: string): Affinity {
    return { kind: 'address', address: plainAddress(address) };
  }

  /** `cookie` is the header of a request. Undefined when it names no active replica. */
  ofCookie(cookie: string | undefined): Affinity | undefined {
    const taskId = this.#taskOf(cookie);
    return taskId === undefined ? undefined : { kind: 'replica', taskId };
  }

  /** Whether a request with this header belongs to this endpoint. */
  isOwn(cookie: string | undefined, { taskId }: Endpoint): boolean {
    return this.#taskOf(cookie) === taskId;
  }

  /** The Set-Cookie header with which a request's answer from this endpoint brings the client back to it; undefined when it would come anyway. */
  cookieFor({ taskId }: Endpoint, sent: string | undefined): string | undefined {
    const value = this.#tokenByTask.get(taskId);
    if (value === undefined || this.#taskOf(sent) === taskId) return undefined;
    return `${this.#name}=${value}; Path=/; HttpOnly; SameSite=Lax`;
  }

  #taskOf(cookie: string | undefined): string | undefined {
    if (cookie === undefined) return undefined;
    for (const pair of cookie.split(';')) {
      const [name = '', value = ''] = pair.split('=', 2);
      const taskId = name.trim() === this.#name ? this.#taskByToken.get(value.trim()) : undefined;
      if (taskId !== undefined) return taskId;
    }
    return undefined;
  }
}

/** 96 bits in characters that a cookie may have. The id of the service is known to members of the cluster alone. */
const token = (serviceId: string, taskId: string): string =>
  createHmac('sha256', serviceId).update(taskId).digest('base64url').slice(0, 16);
