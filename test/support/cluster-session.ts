import type { ManagerSession } from '../../proto/cluster-peer.js';
import { PROTOCOL_VERSION } from '../../proto/protocol-version.js';
import type { AgentMessage, ManagerMessage } from '../../proto/session.js';
import { machine } from './test-api.js';

type Hello = Extract<AgentMessage, { kind: 'hello' }>;

export const hello = (hostname: string, over: Partial<Hello> = {}): Hello => ({
  kind: 'hello',
  protocolVersion: PROTOCOL_VERSION,
  baleVersion: '0.1.0',
  description: machine(hostname),
  engineError: '',
  meshAddr: '127.0.0.1:2378',
  streams: true,
  ...over,
});

/** A session stream in memory, with the agent's end in the hands of the test. */
export class MemorySession implements ManagerSession {
  /** What the manager sent, in order. */
  readonly received: ManagerMessage[] = [];
  #onMessage: (message: AgentMessage) => void = () => undefined;
  readonly #onEnd: ((error?: Error) => void)[] = [];
  #end: { readonly error: Error | undefined } | undefined;

  /** The agent sends a message. */
  say(message: AgentMessage): void {
    if (this.#end === undefined) this.#onMessage(message);
  }

  /** What the agent has heard of one kind. */
  heard<Kind extends ManagerMessage['kind']>(kind: Kind): Extract<ManagerMessage, { kind: Kind }>[] {
    return this.received.filter((message): message is Extract<ManagerMessage, { kind: Kind }> => message.kind === kind);
  }

  /** How the session ended: undefined while it is open, else the message of its error, or `in order`. */
  get ending(): string | undefined {
    return this.#end === undefined ? undefined : (this.#end.error?.message ?? 'in order');
  }

  send(message: ManagerMessage): void {
    if (this.#end === undefined) this.received.push(message);
  }

  onMessage(listener: (message: AgentMessage) => void): void {
    this.#onMessage = listener;
  }

  onEnd(listener: (error?: Error) => void): void {
    this.#onEnd.push(listener);
  }

  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    for (const listener of this.#onEnd) listener(error);
  }
}
