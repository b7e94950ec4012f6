import type { Session } from './session.js';

/** How many sessions of one kind are open to one node at a time. */
const OPEN = 8;
/** One exchange of this many is made on a session of its own. */
const FRESH = 4;

export interface SessionPoolOptions {
  readonly open: () => Promise<Session>;
  /** ms after which a session is ended. */
  readonly life: number;
  /** A session ended before its time while nothing was asked of it. */
  readonly onCut: (reason: string) => void;
}

/** Sessions of one kind to one node: some that live for seconds, in turn, and some for a single exchange. */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #idle: Session[] = [];
  readonly #expiries = new Map<Session, NodeJS.Timeout>();
  /** Long-lived ones that are open or being opened. */
  #open = 0;
  #exchanges = 0;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Sends one message and waits for its echo, on a new session or one that is open. */
  async exchange(): Promise<void> {
    this.#exchanges += 1;
    const text = `message ${this.#exchanges}`;
    const kept = this.#exchanges % FRESH === 0 ? undefined : this.#idle.shift();
    if (kept !== undefined) {
      await kept.echo(text).catch((error: unknown) => {
        this.#forget(kept);
        throw error;
      });
      this.#putBack(kept);
    } else if (this.#exchanges % FRESH === 0 || this.#open >= OPEN) {
      const session = await this.#options.open();
      await session.echo(text);
      session.close();
    } else {
      await this.#keepNew(text);
    }
  }

  close(): void {
    for (const session of this.#idle.splice(0)) {
      this.#forget(session);
      session.close();
    }
  }

  async #keepNew(text: string): Promise<void> {
    this.#open += 1;
    let session: Session;
    try {
      session = await this.#options.open();
      await session.echo(text);
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
    session.onCut = (reason) => {
      this.#takeOut(session);
      this.#forget(session);
      this.#options.onCut(`session with ${session.replica} that waited: ${reason}`);
    };
    // A session in the middle of an exchange is ended when it is put back.
    this.#expiries.set(
      session,
      setTimeout(() => {
        this.#forget(session);
        if (this.#takeOut(session)) session.close();
      }, this.#options.life),
    );
    this.#putBack(session);
  }

  #putBack(session: Session): void {
    if (this.#expiries.has(session) && session.isOpen) this.#idle.push(session);
    else session.close();
  }

  #takeOut(session: Session): boolean {
    const index = this.#idle.indexOf(session);
    if (index >= 0) this.#idle.splice(index, 1);
    return index >= 0;
  }

  #forget(session: Session): void {
    clearTimeout(this.#expiries.get(session));
    if (this.#expiries.delete(session)) this.#open -= 1;
  }
}
