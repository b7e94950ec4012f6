import type { Context } from '../context.js';
import type { Convergence } from './progress.js';

/** More slots than this are not shown one by one, as docker has it. */
const MAX_SLOTS = 20;

/** Redraws progress in place on a terminal; elsewhere prints each line that is new. */
export class ProgressBoard {
  readonly #context: Context;
  readonly #quiet: boolean;
  /** Lines on the screen that the next drawing replaces. */
  #drawn = 0;
  #last = new Map<string, string>();

  constructor(context: Context, quiet: boolean) {
    this.#context = context;
    this.#quiet = quiet;
  }

  show(progress: Convergence, verify: string): void {
    if (this.#quiet) return;
    const lines = linesOf(progress, verify);
    const { terminal } = this.#context;
    if (terminal === undefined) this.#print(lines);
    else
      this.#redraw(
        fit(
          lines.map(([, text]) => text),
          terminal,
        ),
      );
  }

  /** Leaves what is on the screen. */
  end(): void {
    this.#drawn = 0;
  }

  #redraw(lines: readonly string[]): void {
    const up = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A`;
    this.#context.print(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[J`);
    this.#drawn = lines.length;
  }

  #print(lines: readonly (readonly [string, string])[]): void {
    for (const [key, text] of lines) {
      // Counting down is for a screen; a log gets the first line of it.
      const shown = text.replace(/Waiting \d+ seconds/, 'Waiting');
      if (this.#last.get(key) !== shown && text !== '') this.#context.print(`${text}\n`);
      this.#last.set(key, shown);
    }
  }
}

/**
 * Lines no longer than the screen is wide, since a line that wraps by itself would break the redrawing.
 * Long ones (the reason why a task waits) go on in the next line while there is room, else are cut.
 */
function fit(lines: readonly string[], { columns, rows }: NonNullable<Context['terminal']>): readonly string[] {
  const width = Math.max(1, columns - 1);
  const wrapped = lines.flatMap((line) => {
    const parts: string[] = [];
    for (let at = 0; at < Math.max(1, line.length); at += width) parts.push(line.slice(at, at + width));
    return parts;
  });
  return wrapped.length < rows ? wrapped : lines.map((line) => line.slice(0, width));
}

function linesOf(progress: Convergence, verify: string): readonly (readonly [string, string])[] {
  const { running, wanted, slots } = progress;
  const overall = ['overall', `overall progress: ${running} out of ${wanted} tasks`] as const;
  const each =
    slots.length > MAX_SLOTS
      ? []
      : slots.map(({ slot, text }) => [`slot ${slot}`, `${slot}/${wanted}: ${text}`] as const);
  return [overall, ...each, ...(verify === '' ? [] : [['verify', verify] as const])];
}
