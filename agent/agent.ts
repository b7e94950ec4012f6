import { errorMessage } from '../core/errors.js';
import { announceLeave, openSession } from '../proto/cluster-client.js';
import { PROTOCOL_VERSION } from '../proto/protocol-version.js';
import type { AgentMessage, MeshReport } from '../proto/session.js';
import type { Agent, AgentOptions, SessionState } from './agent-types.js';
import { NodeCondition } from './session/node-condition.js';
import { Session } from './session/session.js';
import { Streams } from './streams/streams.js';
import { applyAssignments, EMPTY_LEDGER, forNewSession } from './worker/assignment-ledger.js';
import { PayloadShelf } from './worker/payload-shelf.js';
import { StatusOutbox } from './worker/status-outbox.js';
import { Worker } from './worker/worker.js';

/**
 * Starts the agent of this node: it watches the Engine at once and the managers as soon as they can be
 * reached. Returns without waiting for either.
 */
export function startAgent(options: AgentOptions): Promise<Agent> {
  const { identity, executor, mesh, engineSocket, clock, logger } = options;
  const shelf = new PayloadShelf();
  let ledger = EMPTY_LEDGER;
  let report: MeshReport | undefined;
  let flushPlanned = false;

  // All statuses of one turn travel as one message.
  const outbox = new StatusOutbox(() => {
    if (flushPlanned) return;
    flushPlanned = true;
    clock.schedule(0, () => {
      flushPlanned = false;
      if (session.state.kind !== 'connected') return;
      const statuses = outbox.takeUnsent();
      if (statuses.length > 0) session.send({ kind: 'statuses', statuses });
    });
  });
  const condition = new NodeCondition(executor, clock, (current) => {
    session.send({ kind: 'condition', ...current });
  });
  const worker = new Worker({
    executor,
    payloads: shelf.get,
    outbox,
    clock,
    logger,
    onLocals: (locals) => {
      mesh.setLocals(locals);
    },
    onEngine: (state) => {
      logger[state.reachable ? 'info' : 'error'](state, state.reachable ? 'Engine reachable' : 'Engine lost');
      condition.engine(state);
    },
  });
  const streams = engineSocket === undefined ? undefined : new Streams({ identity, engineSocket, logger });
  const hello = (): AgentMessage => ({
    kind: 'hello',
    protocolVersion: PROTOCOL_VERSION,
    baleVersion: options.baleVersion ?? 'unknown',
    ...condition.current,
    meshAddr: options.meshAddr,
    streams: streams !== undefined,
  });
  const greeting = (): readonly AgentMessage[] => {
    const statuses = outbox.takeAll();
    return [
      ...(statuses.length === 0 ? [] : [{ kind: 'statuses' as const, statuses }]),
      ...(report === undefined ? [] : [{ kind: 'mesh' as const, report }]),
    ];
  };
  const session = new Session({
    open: (addr) => openSession(addr, identity),
    ready: condition.ready,
    managers: options.managers,
    hello,
    greeting,
    onOpen: () => {
      ledger = forNewSession(ledger);
    },
    onPayloads: (payloads) => {
      shelf.put(payloads);
    },
    onAssignments: (message) => {
      const outcome = applyAssignments(ledger, message);
      if (outcome.kind === 'gap') return outcome.reason;
      ledger = outcome.ledger;
      worker.apply(ledger.tasks, outcome.complete);
      // In the same turn: a task that was just told to end has been interrupted before it could miss them.
      shelf.keepFor(ledger.tasks.values());
      return undefined;
    },
    onTable: (table) => {
      mesh.setTable(table);
    },
    onStream: (addr, streamId) => streams?.open(addr, streamId),
    onEnd: () => streams?.endAll(),
    clock,
    logger,
    random: Math.random,
  });
  const forgetMesh = mesh.onReport((latest) => {
    report = latest;
    session.send({ kind: 'mesh', report: latest });
  });
  const release = (): void => {
    forgetMesh();
    condition.close();
  };
  return Promise.resolve(new RunningAgent(options, session, worker, streams, release));
}

class RunningAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #session: Session;
  readonly #worker: Worker;
  readonly #streams: Streams | undefined;
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  constructor(
    options: AgentOptions,
    session: Session,
    worker: Worker,
    streams: Streams | undefined,
    release: () => void,
  ) {
    this.#options = options;
    this.#session = session;
    this.#worker = worker;
    this.#streams = streams;
    this.#release = release;
  }

  get session(): SessionState {
    return this.#session.state;
  }

  get managers(): readonly string[] {
    return this.#session.managers;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async leave(signal: AbortSignal): Promise<void> {
    await this.#announce(signal);
    await this.close();
    await this.#worker.removeAll(signal);
  }

  async #close(): Promise<void> {
    this.#release();
    await this.#session.close();
    await this.#streams?.close();
    await this.#worker.close();
  }

  /** The first manager that answers is enough. A cluster that is gone must not hold the node: it finds out by itself. */
  async #announce(signal: AbortSignal): Promise<void> {
    for (const manager of this.#session.managers) {
      try {
        await announceLeave(manager, this.#options.identity, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#options.logger.warn({ manager, err: errorMessage(error) }, 'a manager could not be told of the leave');
      }
    }
  }
}
