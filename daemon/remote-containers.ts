import type { IncomingMessage } from 'node:http';
import type { TaskContainers } from '../manager/containers/task-containers.js';
import type { NodeStreams } from '../manager/streams/node-streams.js';
import { type ContainerRoute, containerRoute } from './container-route.js';
import { type ContainerTarget, containerTarget } from './container-target.js';
import type { EngineClient } from './engine-client.js';
import { carriesExecIds, nameNodeInExecIds } from './exec-id.js';
import { localEngine, nodeEngine, nodeFailed, type Upstream } from './upstream.js';

/** What is needed of the manager of this node. */
export interface ClusterContainers {
  readonly nodeId: string;
  readonly containers: Pick<TaskContainers, 'find'>;
  readonly streams: NodeStreams;
}

/** How a request goes on: to which Engine, with which URL, and what is done to a JSON answer. */
export interface Handover {
  readonly upstream: Upstream;
  readonly url?: string;
  readonly rewrite?: (body: string) => string;
}

/** A request that may be another node's. */
export interface RemoteCall {
  /** Rejects with what the client is told: the task has no container, the node cannot be reached… */
  open(signal: AbortSignal): Promise<Handover>;
}

/** How long the local Engine may take to say whether it has a container of a name, ms. */
const PATIENCE_MS = 5_000;
const NOT_FOUND = 404;

/** Containers of the cluster's tasks on the socket of a manager, whichever node they run on. */
export class RemoteContainers {
  readonly #engine: EngineClient;
  readonly #local: Upstream;
  /** Undefined while this node is no manager. */
  readonly #cluster: () => ClusterContainers | undefined;

  constructor(engine: EngineClient, engineSocket: string, cluster: () => ClusterContainers | undefined) {
    this.#engine = engine;
    this.#local = localEngine(engineSocket);
    this.#cluster = cluster;
  }

  /** Undefined for a request that is the local Engine's: told at once, without asking anybody. */
  callOf({ method = 'GET', url = '/' }: Pick<IncomingMessage, 'method' | 'url'>): RemoteCall | undefined {
    const cluster = this.#cluster();
    if (cluster === undefined) return undefined;
    const route = containerRoute(method, url);
    if (route === undefined) return undefined;
    const target = containerTarget(route, (reference) => cluster.containers.find(reference), cluster.nodeId);
    if (target.kind === 'engine') return undefined;
    return { open: (signal) => this.#open(route, target, cluster.streams, signal) };
  }

  async #open(
    route: ContainerRoute,
    target: Exclude<ContainerTarget, { kind: 'engine' }>,
    streams: NodeStreams,
    signal: AbortSignal,
  ): Promise<Handover> {
    if (target.kind === 'refused' || target.askEngineFirst) {
      if (await this.#engineKnows(route.reference, signal)) return { upstream: this.#local };
      if (target.kind === 'refused') throw target.error;
    }
    const { nodeId, url, what } = target;
    const connection = await streams.open(nodeId, signal).catch((error: unknown) => {
      throw signal.aborted ? error : nodeFailed(what, error);
    });
    if (signal.aborted) {
      // Reached too late: nobody would close it any more.
      connection.destroy();
      signal.throwIfAborted();
    }
    const upstream = nodeEngine(connection, what);
    if (!carriesExecIds(route.verb)) return { upstream, url };
    return { upstream, url, rewrite: (body) => nameNodeInExecIds(route.verb, body, nodeId) };
  }

  /** Any answer but "no such container" is the Engine's to give; one that does not answer knows nothing. */
  async #engineKnows(reference: string, signal: AbortSignal): Promise<boolean> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      const { status } = await this.#engine.get(`/containers/${encodeURIComponent(reference)}/json`, patience);
      return status !== NOT_FOUND;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}
