/** Failures older than this say nothing about a node any more, ms. */
const WINDOW = 5 * 60_000;
/** No more are remembered per node: beyond them the order of nodes hardly matters. */
const REMEMBERED = 100;

interface VersionFailures {
  readonly serviceVersion: number;
  /** Times of failure by node id, oldest first. */
  readonly byNode: Map<string, number[]>;
}

/**
 * Where the newest version of each service failed within the last minutes. In memory only: a
 * manager that starts anew reads it from the task history.
 */
export class FailureWindow {
  readonly #services = new Map<string, VersionFailures>();

  record(serviceId: string, serviceVersion: number, nodeId: string, at: number): void {
    let failures = this.#services.get(serviceId);
    if (failures !== undefined && failures.serviceVersion > serviceVersion) return;
    if (failures?.serviceVersion !== serviceVersion) {
      failures = { serviceVersion, byNode: new Map() };
      this.#services.set(serviceId, failures);
    }
    const times = failures.byNode.get(nodeId) ?? [];
    times.push(at);
    failures.byNode.set(nodeId, times.slice(-REMEMBERED));
  }

  count(serviceId: string, serviceVersion: number, nodeId: string, now: number): number {
    const failures = this.#services.get(serviceId);
    if (failures?.serviceVersion !== serviceVersion) return 0;
    return failures.byNode.get(nodeId)?.filter((time) => time > now - WINDOW).length ?? 0;
  }

  forget(serviceId: string): void {
    this.#services.delete(serviceId);
  }
}
