/** ms in which changes gather. */
const GATHER = 5;

/** Sends the mesh's report after each change, changes of a few milliseconds together, the same one never twice. */
export class Reporter<Report> {
  readonly #make: () => Report;
  readonly #send: (report: Report) => void;
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  constructor(make: () => Report, send: (report: Report) => void) {
    this.#make = make;
    this.#send = send;
  }

  readonly changed = (): void => {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const report = this.#make();
      const text = JSON.stringify(report);
      if (text === this.#last) return;
      this.#last = text;
      this.#send(report);
    }, GATHER);
  };

  close(): void {
    clearTimeout(this.#timer);
  }
}
