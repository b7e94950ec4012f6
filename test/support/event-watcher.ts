import type { ClientRequest, IncomingMessage } from 'node:http';
import type { SocketClient } from './socket-client.js';
import { answerOf } from './socket-client.js';

/** An event as clients read it. */
export interface WatchedEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: string;
  readonly time: number;
  readonly timeNano: number;
}

/** A client that follows `GET /events`. */
export class EventWatcher {
  readonly answer: IncomingMessage;
  readonly events: WatchedEvent[] = [];
  /** Resolves at the end of the answer: with how it ended. */
  readonly ended: Promise<'complete' | 'broken'>;
  readonly #call: ClientRequest;
  readonly #waiting = new Set<() => void>();

  private constructor(call: ClientRequest, answer: IncomingMessage) {
    this.#call = call;
    this.answer = answer;
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      const lines = `${text}${chunk}`.split('\n');
      text = lines.pop() ?? '';
      // Our own answer, of this form.
      for (const line of lines) this.events.push(JSON.parse(line) as WatchedEvent);
      for (const check of this.#waiting) check();
    });
    answer.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      answer.on('close', () => {
        resolve(answer.complete ? 'complete' : 'broken');
      });
    });
  }

  /** Resolves when the answer has begun: what happens from then on is seen. */
  static async open(
    client: SocketClient,
    query: Readonly<Record<string, string | number | object>> = {},
  ): Promise<EventWatcher> {
    const call = client.open(`/v1.41/events${queryText(query)}`);
    call.end();
    const answer = await answerOf(call);
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode ?? 0}`);
    return new EventWatcher(call, answer);
  }

  /** Resolves with the first event, seen already or to come, that `matches`. */
  first(matches: (event: WatchedEvent) => boolean): Promise<WatchedEvent> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.events.find(matches);
        if (found === undefined) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
      void this.ended.then(() => {
        reject(new Error(`ended before it came: ${JSON.stringify(this.events)}`));
      });
    });
  }

  /** Goes away without a word. */
  hangUp(): void {
    this.#call.destroy();
  }
}

export function queryText(query: Readonly<Record<string, string | number | object>>): string {
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
