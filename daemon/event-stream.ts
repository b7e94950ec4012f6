import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { ClusterEvent, EventFeed } from '../manager/events/cluster-event.js';
import { askEngine, followEngine } from './engine-events.js';
import { withoutHopHeaders } from './engine-headers.js';
import { passToEngine } from './engine-passthrough.js';
import { admitsEvent, sidesOf } from './event-filter.js';
import { EventMerge } from './event-merge.js';
import { isWithin, momentOf, readEventTimes } from './event-time.js';
import { EventWriter } from './event-writer.js';
import { parseApiPath } from './api-path.js';
import { Query } from './query.js';
import type { SharedEngineEvents } from './shared-engine-events.js';
import { localEngine } from './upstream.js';

export interface EventStreamOptions {
  readonly feed: EventFeed;
  /** For watchers of the same question, who share one connection to the Engine. */
  readonly shared: SharedEngineEvents;
  readonly engineSocket: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Events = readonly ClusterEvent[];

/** The Engine is asked to end its stream at that time too, and may be a little late. */
const GRACE_MS = 250;
/** The longest that a timer can be set to, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * `GET /events` of a manager: the cluster's events and those of the local Engine in one stream. An Engine
 * that refuses the request answers it. Throws BALE_EVENTS_INVALID or BALE_FILTER_INVALID before the answer began.
 */
export async function streamEvents(
  request: IncomingMessage,
  response: ServerResponse,
  options: EventStreamOptions,
): Promise<void> {
  const { feed, shared, engineSocket, clock, logger } = options;
  const url = request.url ?? '/events';
  const query = new Query(parseApiPath(url).query);
  const filters = query.filters();
  const times = readEventTimes(query.text('since'), query.text('until'));
  const sides = sidesOf(filters);
  if (!sides.cluster) {
    passToEngine({ request, response }, { upstream: localEngine(engineSocket), logger });
    return;
  }
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort();
  };
  response.on('close', leave);
  const wantsPast = times.since !== undefined || times.until !== undefined;
  const writer = new EventWriter(response, clock, leave);
  const admitted = (events: Events): Events =>
    events.filter((event) => admitsEvent(filters, event) && isWithin(momentOf(event), times));
  // In one turn: nothing falls between the past and what comes. The head is sent before the first of it.
  const past = wantsPast ? admitted(feed.past()) : [];
  const early: ClusterEvent[] = [];
  let onEvents = (events: Events): void => void early.push(...events);
  const unsubscribe = feed.subscribe((events) => {
    onEvents(admitted(events));
  });
  gone.signal.addEventListener('abort', unsubscribe);

  const engine = { engineSocket, url, until: times.until, clock, logger };
  const earlyLines: Buffer[] = [];
  let onLines = (lines: Buffer): void => void earlyLines.push(lines);
  const isShared =
    sides.engine &&
    !wantsPast &&
    (await shared.follow(
      url,
      (lines) => {
        onLines(lines);
      },
      gone.signal,
    ));
  const answer = sides.engine && !isShared ? await askEngine(engine, gone.signal) : undefined;
  if (gone.signal.aborted) {
    answer?.destroy();
    return;
  }
  if (answer !== undefined && answer.statusCode !== 200) {
    unsubscribe();
    refuseAsEngine(answer, response);
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  const merge = new EventMerge({
    past: wantsPast && sides.engine ? past : undefined,
    clock,
    write: (entries) => {
      writer.add(entries);
    },
  });
  if (!sides.engine) merge.addCluster(past);
  merge.addCluster(early);
  onEvents = (events) => {
    merge.addCluster(events);
  };
  onLines = (lines) => {
    merge.addEngine(lines);
  };
  for (const lines of earlyLines) merge.addEngine(lines);
  const finish = (): void => {
    unsubscribe();
    merge.release();
    writer.end();
  };
  const { until } = times;
  const isOver = until !== undefined && until <= clock.now();
  if (!isOver && until !== undefined) at(clock, until + (sides.engine ? GRACE_MS : 0), finish, gone.signal);
  if (sides.engine && !isShared) await followEngine(engine, answer, onLines, gone.signal);
  if (isOver) finish();
}

/** What the Engine says of a request that it does not take is what a client of it expects. */
function refuseAsEngine(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, withoutHopHeaders(answer.rawHeaders));
  pipeline(answer, response, () => {
    // Broken off: pipeline has destroyed both, which is all there is to tell.
  });
}

/** Runs `action` at that time, however far away, unless `signal` aborts before. */
function at(clock: Clock, time: number, action: () => void, signal: AbortSignal): void {
  const left = time - clock.now();
  const cancel = clock.schedule(Math.min(Math.max(left, 0), LONGEST_TIMER), () => {
    signal.removeEventListener('abort', cancel);
    if (left > LONGEST_TIMER) at(clock, time, action, signal);
    else action();
  });
  signal.addEventListener('abort', cancel, { once: true });
}
