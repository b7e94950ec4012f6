import type { Route } from './route.js';

/** Who waits: a client's connection, or what stands for one. */
export interface WaitingClient {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/**
 * Where connections wait for an endpoint. Bounded, and no port may take more than half of the seats:
 * a service that is dead does not use up the patience for the others.
 */
export class WaitingRoom {
  readonly #seats: number;
  readonly #byRoute = new WeakMap<Route, number>();
  #taken = 0;

  constructor(seats: number) {
    this.#seats = seats;
  }

  get size(): number {
    return this.#taken;
  }

  /**
   * Resolves to true at `until` (ms of the process clock), when the endpoints change or the client
   * goes, whichever is first; to false at once when there is no seat.
   */
  async wait(route: Route, client: WaitingClient, until: number): Promise<boolean> {
    const seated = this.#byRoute.get(route) ?? 0;
    if (this.#taken >= this.#seats || seated >= Math.max(1, this.#seats / 2)) return false;
    this.#taken += 1;
    this.#byRoute.set(route, seated + 1);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        unsubscribe();
        client.off('close', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, until - performance.now()));
      const unsubscribe = route.onChange(done);
      client.once('close', done);
    });
    this.#taken -= 1;
    this.#byRoute.set(route, (this.#byRoute.get(route) ?? 1) - 1);
    return true;
  }
}
