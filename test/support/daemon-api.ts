import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { PastSpecDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { DaemonCluster, type DaemonNode } from './daemon-cluster.js';
import { eventually } from './eventually.js';
import { serviceBody } from './service-body.js';
import type { Answer, Question } from './socket-client.js';

/** What the answer to a refused request said. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** What of any object a refused request must leave as it is. */
interface Written {
  readonly ID: string;
  readonly Version: unknown;
  readonly Spec: unknown;
  readonly JoinTokens?: unknown;
}

/** A cluster of one manager on a real socket, asked in documents. */
export class DaemonApi {
  readonly cluster: DaemonCluster;
  readonly manager: DaemonNode;
  readonly #workers = new Map<string, DaemonNode>();

  private constructor(cluster: DaemonCluster, manager: DaemonNode) {
    this.cluster = cluster;
    this.manager = manager;
  }

  /** `extra`: more options of the manager's daemon. */
  static async start(extra: readonly string[] = []): Promise<DaemonApi> {
    const cluster = await DaemonCluster.start();
    const manager = await cluster.node('m', '127.0.0.1', extra);
    const body = { ListenAddr: manager.listenAddr, AdvertiseAddr: '127.0.0.1' };
    const { status, text } = await manager.client.ask('/swarm/init', { method: 'POST', body });
    if (status !== 200) throw new Error(text);
    return new DaemonApi(cluster, manager);
  }

  end(): Promise<void> {
    return this.cluster.end();
  }

  /** Another node of the cluster; resolves when it is ready. */
  async join(name: string): Promise<NodeDocument> {
    const before = (await this.nodes()).map(({ ID }) => ID);
    const { JoinTokens } = await this.get<{ JoinTokens: { Worker: string } }>('/swarm');
    const worker = await this.cluster.node(name);
    this.#workers.set(name, worker);
    const body = {
      ListenAddr: worker.listenAddr,
      AdvertiseAddr: '127.0.0.1',
      RemoteAddrs: [this.manager.listenAddr],
      JoinToken: JoinTokens.Worker,
    };
    const { status, text } = await worker.client.ask('/swarm/join', { method: 'POST', body });
    if (status !== 200) throw new Error(text);
    return eventually(`node ${name}`, async () =>
      (await this.nodes()).find(({ ID, Status }) => !before.includes(ID) && Status.State === 'ready'),
    );
  }

  /** A node that joined. */
  worker(name: string): DaemonNode {
    const worker = this.#workers.get(name);
    if (worker === undefined) throw new Error(`no worker ${name}`);
    return worker;
  }

  ask(method: string, path: string, question: Omit<Question, 'method'> = {}): Promise<Answer> {
    return this.manager.client.ask(path, { method, ...question });
  }

  /** T is the document that the API defines for this path. */
  async get<T>(path: string): Promise<T> {
    const { status, text } = await this.ask('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  }

  nodes = (): Promise<readonly NodeDocument[]> => this.get('/nodes');
  service = (id: string): Promise<ServiceDocument> => this.get(`/services/${id}`);
  history = (id: string): Promise<readonly PastSpecDocument[]> => this.get(`/bale/services/${id}/history`);
  tasks = (service: string): Promise<readonly TaskDocument[]> =>
    this.get(`/tasks?filters=${encodeURIComponent(JSON.stringify({ service: [service] }))}`);

  async create(over: Readonly<Record<string, unknown>>): Promise<ServiceDocument> {
    const { status, text } = await this.ask('POST', '/services/create', { body: serviceBody(over) });
    if (status !== 201) throw new Error(text);
    return this.service((JSON.parse(text) as { ID: string }).ID); // our own answer, of this form
  }

  /** Writes a change of the present spec. */
  async update(id: string, change: (spec: ServiceDocument['Spec']) => object): Promise<void> {
    const { Spec, Version } = await this.service(id);
    const { status, text } = await this.ask('POST', `/services/${id}/update?version=${Version.Index}`, {
      body: { ...change(Spec) },
    });
    if (status !== 200) throw new Error(text);
  }

  /** Waits until what a service looks like satisfies `check`. */
  until(id: string, what: string, check: (service: ServiceDocument) => boolean): Promise<ServiceDocument> {
    return eventually(what, async () => {
      const service = await this.service(id);
      if (check(service)) return service;
      throw new Error(JSON.stringify({ status: service.UpdateStatus, waiting: service.waiting }));
    });
  }

  async #identified(path: string): Promise<unknown> {
    const found = await this.get<Written | readonly Written[]>(path);
    return [found].flat().map(({ ID, Version, Spec, JoinTokens }: Written) => ({ ID, Version, Spec, JoinTokens }));
  }

  /** All specs and versions: what a refused request must leave as it is. */
  async written(): Promise<unknown> {
    const services = await this.get<readonly ServiceDocument[]>('/services');
    return {
      services: services.map(({ ID, Version, Spec, PreviousSpec }) => ({ ID, Version, Spec, PreviousSpec })),
      nodes: (await this.nodes()).map(({ ID, Version, Spec, drain }) => ({ ID, Version, Spec, drain: drain?.since })),
      history: await Promise.all(services.map(({ ID }) => this.history(ID))),
      secrets: await this.#identified('/secrets'),
      configs: await this.#identified('/configs'),
      swarm: await this.#identified('/swarm'),
    };
  }
}

/** Status and words of a refusal; throws when the answer is no document of the Engine's form. */
export function refusalOf({ status, headers, text }: Answer): Refusal {
  const document: unknown = JSON.parse(text);
  if (headers['content-type'] !== 'application/json') throw new Error(`content type ${headers['content-type'] ?? ''}`);
  if (typeof document !== 'object' || document === null || !('message' in document)) throw new Error(text);
  if (Object.keys(document).length !== 1 || typeof document.message !== 'string') throw new Error(text);
  return { status, message: document.message };
}
