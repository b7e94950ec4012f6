import type { Endpoint, EndpointTable, PublishedPort } from '../../proto/endpoint-table.js';
import { Ejections } from './ejections.js';
import { endpointKey } from './endpoint-key.js';
import type { InFlight } from './in-flight.js';
import { Route } from './route.js';

type Protocol = PublishedPort['protocol'];

/** The routes of the present table, by published port and protocol. `apply` replaces; nothing is merged. */
export class Routes {
  readonly #nodeId: string;
  readonly #inFlight: InFlight;
  readonly #now: () => number;
  readonly #ejections = new Ejections();
  /** Every port published so far: connections may outlive a port, and come back to life with it. */
  readonly #routes = new Map<string, Route>();
  #published: ReadonlyMap<string, PublishedPort> = new Map();

  constructor(options: { readonly nodeId: string; readonly inFlight: InFlight; readonly now: () => number }) {
    this.#nodeId = options.nodeId;
    this.#inFlight = options.inFlight;
    this.#now = options.now;
  }

  /** Swaps every picker in one turn of the event loop. */
  apply(table: EndpointTable): void {
    const start = Math.max(
      0,
      table.nodes.findIndex(({ nodeId }) => nodeId === this.#nodeId),
    );
    const published = new Map(table.ports.map((port) => [routeKey(port.publishedPort, port.protocol), port]));
    const active = new Set<string>();
    const keys = new Set<string>();
    for (const { protocol, endpoints } of table.ports) {
      for (const endpoint of endpoints) {
        keys.add(endpointKey(endpoint, protocol));
        if (endpoint.state === 'active') active.add(endpoint.taskId);
      }
    }
    // First the counters: a listener of a route that moves its connection is then counted right.
    this.#inFlight.watchAllBut(active);
    this.#ejections.keepOnly(keys);
    this.#published = published;
    for (const [key, route] of this.#routes) if (!published.has(key)) route.unpublish();
    for (const [key, port] of published) {
      const known = this.#routes.get(key);
      if (known !== undefined) {
        known.update(port);
        continue;
      }
      const options = { inFlight: this.#inFlight, ejections: this.#ejections, now: this.#now, start };
      this.#routes.set(key, new Route(port, options));
    }
  }

  get(publishedPort: number, protocol: Protocol = 'tcp'): Route | undefined {
    const key = routeKey(publishedPort, protocol);
    return this.#published.has(key) ? this.#routes.get(key) : undefined;
  }

  publishedPorts(protocol: Protocol = 'tcp'): readonly PublishedPort[] {
    return [...this.#published.values()].filter((port) => port.protocol === protocol);
  }
}

const routeKey = (publishedPort: number, protocol: Protocol): string => `${publishedPort}/${protocol}`;

export const endpointsOf = (table: EndpointTable): readonly Endpoint[] => table.ports.flatMap((port) => port.endpoints);
