import type { Endpoint, EndpointTable } from '../../proto/endpoint-table.js';
import { Ejections } from './ejections.js';
import { endpointKey } from './endpoint-key.js';
import type { InFlight } from './in-flight.js';
import { Route } from './route.js';

/** The routes of the present table, by published port. `apply` replaces; nothing is merged. */
export class Routes {
  readonly #nodeId: string;
  readonly #inFlight: InFlight;
  readonly #now: () => number;
  readonly #ejections = new Ejections();
  /** Every port published so far: connections may outlive a port, and come back to life with it. */
  readonly #routes = new Map<number, Route>();
  #published: ReadonlySet<number> = new Set();

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
    const published = new Set(table.ports.map(({ publishedPort }) => publishedPort));
    const active = new Set<string>();
    const keys = new Set<string>();
    for (const endpoint of endpointsOf(table)) {
      keys.add(endpointKey(endpoint));
      if (endpoint.state === 'active') active.add(endpoint.taskId);
    }
    // First the counters: a listener of a route that moves its connection is then counted right.
    this.#inFlight.watchAllBut(active);
    this.#ejections.keepOnly(keys);
    this.#published = published;
    for (const [publishedPort, route] of this.#routes) if (!published.has(publishedPort)) route.unpublish();
    for (const port of table.ports) {
      const known = this.#routes.get(port.publishedPort);
      if (known !== undefined) {
        known.update(port);
        continue;
      }
      const options = { inFlight: this.#inFlight, ejections: this.#ejections, now: this.#now, start };
      this.#routes.set(port.publishedPort, new Route(port, options));
    }
  }

  get(publishedPort: number): Route | undefined {
    return this.#published.has(publishedPort) ? this.#routes.get(publishedPort) : undefined;
  }

  publishedPorts(): readonly number[] {
    return [...this.#published];
  }
}

export const endpointsOf = (table: EndpointTable): readonly Endpoint[] => table.ports.flatMap((port) => port.endpoints);
