/** Time as a dependency, so that deciders get `now` as data and tests own the clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `callback` once after `ms`; the returned function cancels it. Never keeps the process alive. */
  schedule(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** A time of the API: RFC 3339 with milliseconds, UTC. */
export const timestamp = (now: number): string => new Date(now).toISOString();
