import type { Readable } from 'node:stream';
import type { ApiClient } from '../client.js';
import type { FoundTask } from './find-tasks.js';
import { statsFigures, type StatsFigures, type StatsSample } from './stats-figures.js';

/** One sample; the Engine takes a second or two, for the processor time between two. */
export async function sampleOnce(client: ApiClient, task: FoundTask): Promise<StatsFigures> {
  return statsFigures(await client.get<StatsSample>(pathOf(task), { stream: false }));
}

/** Live figures of one task. It ends by itself with the task, or when it is closed. */
export class StatsFeed {
  readonly task: FoundTask;
  figures: StatsFigures | undefined;
  readonly #end = new AbortController();
  #over = false;

  constructor(client: ApiClient, task: FoundTask) {
    this.task = task;
    void this.#follow(client);
  }

  /** Nothing more will come: the task has ended, or its node is out of reach. */
  get isOver(): boolean {
    return this.#over;
  }

  close(): void {
    this.#end.abort();
  }

  async #follow(client: ApiClient): Promise<void> {
    const { signal } = this.#end;
    try {
      const answer = await client.open('GET', pathOf(this.task), { stream: true }, { signal });
      for await (const line of lines(answer)) {
        // Our daemon passes on what the Engine API defines for this path.
        this.figures = statsFigures(JSON.parse(line) as StatsSample);
      }
    } catch {
      // A node out of reach or a task that has ended: the row shows that nothing is known.
    } finally {
      this.figures = undefined;
      this.#over = true;
    }
  }
}

const pathOf = ({ container }: FoundTask): string => `/containers/${encodeURIComponent(container)}/stats`;

async function* lines(answer: Readable): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((line) => line.trim() !== '');
  }
}
