import type { ChildProcess } from 'node:child_process';
import type { Docker } from '../docker-client.js';
import { eventually } from '../eventually.js';
import type { WatchedEvent } from '../event-watcher.js';

/** A secret that is made and removed so that its events tell how far the log has come. */
const MARK = 'event-log-mark';

/** What `docker events` tells of a swarm, from the moment it is followed until its end. */
export class EventLog implements AsyncDisposable {
  readonly #docker: Docker;
  readonly #child: ChildProcess;
  readonly #events: WatchedEvent[] = [];
  #marks = 0;

  private constructor(docker: Docker) {
    this.#docker = docker;
    const child = docker.spawn('events', '--filter', 'scope=swarm', '--format', '{{json .}}');
    this.#child = child;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      // docker's own form of it.
      this.#events.push(...lines.map((line) => JSON.parse(line) as WatchedEvent));
    });
  }

  /** All that happens after it resolved is in the log. */
  static async follow(docker: Docker): Promise<EventLog> {
    const log = new EventLog(docker);
    // The client tells nobody when it has begun: it is asked until it has seen something.
    await eventually('events', () => log.#mark(), { every: 100 });
    log.#events.length = 0;
    return log;
  }

  /** What happened until now, in order. Tasks, of which Swarm tells nothing, are left out. */
  async end(): Promise<readonly WatchedEvent[]> {
    await eventually('the last events', () => this.#mark(), { every: 100 });
    return this.#events.filter(({ Type, Actor }) => Type !== 'task' && !nameOf(Actor).startsWith(MARK));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    return Promise.resolve();
  }

  /** Whether an event of what is done now came within half a second. */
  async #mark(): Promise<boolean> {
    this.#marks += 1;
    const name = `${MARK}-${this.#marks}`;
    await this.#docker.run(['secret', 'create', name, '-'], { input: 'x' });
    await this.#docker.must('secret', 'rm', name);
    const isSeen = (): boolean =>
      this.#events.some(({ Action, Actor }) => Action === 'remove' && nameOf(Actor) === name);
    return eventually('its mark', () => Promise.resolve(isSeen()), { seconds: 0.5, every: 20 }).catch(() => false);
  }
}

const nameOf = ({ Attributes }: WatchedEvent['Actor']): string => Attributes.name ?? '';

/** A machine that is very busy may miss heartbeats: a node that comes back at once is no change of the session's. */
const AWAY = 'update state.new=down state.old=ready (swarm)';
const BACK = 'update state.new=ready state.old=down (swarm)';

/** Of each object, `TYPE NAME`, what happened to it: the action with its attributes. A node has no name until it is ready. */
export function byObject(events: readonly WatchedEvent[]): Readonly<Record<string, readonly string[]>> {
  const objects: Record<string, string[]> = {};
  for (const { Type, Action, Actor, scope } of events) {
    const pairs = Object.entries(Actor.Attributes).filter(([key]) => key !== 'name');
    const words = pairs.map(([key, value]) => `${key}=${value}`).sort();
    const told = (objects[`${Type} ${nameOf(Actor)}`] ??= []);
    const event = [Action, ...words, `(${scope})`].join(' ');
    if (event === BACK && told.at(-1) === AWAY) told.pop();
    else told.push(event);
  }
  return objects;
}

/** What Swarm tells whenever it writes something, also for itself. */
const BARE_UPDATE = 'update (swarm)';

/**
 * Objects of which bale does not tell what Swarm tells, in its order. Swarm may tell of more updates, as long as
 * they have no attribute.
 */
export function missing(
  bale: Readonly<Record<string, readonly string[]>>,
  swarm: Readonly<Record<string, readonly string[]>>,
): readonly { readonly object: string; readonly bale: readonly string[]; readonly swarm: readonly string[] }[] {
  return Object.entries(swarm).flatMap(([object, theirs]) => {
    const ours = bale[object] ?? [];
    let next = 0;
    const extra: string[] = [];
    for (const event of theirs) {
      if (event === ours[next]) next += 1;
      else extra.push(event);
    }
    const isSame = next === ours.length && extra.every((event) => event === BARE_UPDATE);
    return isSame ? [] : [{ object, bale: ours, swarm: theirs }];
  });
}
