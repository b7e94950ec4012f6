import type { AgentSession } from '../../proto/cluster-peer.js';
import type { AgentMessage, ManagerMessage } from '../../proto/session.js';

/** The agent's end of a session without a network, and the manager's hands on it. */
export class FakeAgentSession implements AgentSession {
  readonly addr: string;
  /** What the agent sent, in order. */
  readonly sent: AgentMessage[] = [];
  ended = false;
  readonly #onMessage: ((message: ManagerMessage) => void)[] = [];
  readonly #onEnd: ((error?: Error) => void)[] = [];

  constructor(addr: string) {
    this.addr = addr;
  }

  send(message: AgentMessage): void {
    if (!this.ended) this.sent.push(message);
  }

  onMessage(listener: (message: ManagerMessage) => void): void {
    this.#onMessage.push(listener);
  }

  onEnd(listener: (error?: Error) => void): void {
    this.#onEnd.push(listener);
  }

  end(error?: Error): void {
    if (this.ended) return;
    this.ended = true;
    for (const listener of this.#onEnd) listener(error);
  }

  /** The manager says something. */
  receive(message: ManagerMessage): void {
    if (this.ended) return;
    for (const listener of this.#onMessage) listener(message);
  }

  welcome(managers: readonly string[] = [], heartbeatPeriod = 500): void {
    this.receive({
      kind: 'welcome',
      clusterId: 'c1',
      heartbeatPeriod,
      trustRoot: '',
      managers: managers.map((addr, index) => ({ nodeId: `m${index}`, addr })),
    });
  }

  kinds(): readonly string[] {
    return this.sent.map((message) => message.kind);
  }
}
