import type { Context } from '../context.js';
import { STEPS, type ProgressLine } from './service-progress.js';

/** docker draws bars of this width, on terminals that are wide enough. */
const BAR_WIDTH = 50;
const LEAST_COLUMNS_FOR_BARS = 110;
const LONGEST_STATE = Math.max(...STEPS.map((state) => state.length));

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

  show(lines: readonly ProgressLine[]): void {
    if (this.#quiet) return;
    const { terminal } = this.#context;
    if (terminal === undefined) this.#print(lines);
    else
      this.#redraw(
        fit(
          lines.map((line) => withBar(line, terminal.columns)),
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

  #print(lines: readonly ProgressLine[]): void {
    const shown = new Map<string, string>();
    for (const { key, text } of lines) {
      shown.set(key, withoutCounts(text));
      if (this.#last.get(key) !== withoutCounts(text)) this.#context.print(`${text}\n`);
    }
    this.#last = shown;
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
  return (wrapped.length < rows ? wrapped : lines.map((line) => line.slice(0, width))).slice(0, Math.max(1, rows - 1));
}

/** Counting down is for a screen; a log gets the first line of it. */
const withoutCounts = (text: string): string => text.replace(/\d+ (?:s left|seconds|requests? in flight)/g, '');

export function withBar({ text, step }: ProgressLine, columns: number): string {
  if (step === undefined || columns <= LEAST_COLUMNS_FOR_BARS) return text;
  const [label = '', state = ''] = text.split(': ', 2);
  const done = Math.trunc((step / STEPS.length) * BAR_WIDTH);
  return `${label}: ${state.padEnd(LONGEST_STATE)} [${'='.repeat(done)}>${' '.repeat(BAR_WIDTH - done)}]`;
}
