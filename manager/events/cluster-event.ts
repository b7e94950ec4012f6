/** What events are about: the Engine's types of a swarm, and bale's own `task`. */
export type ClusterEventType = 'service' | 'node' | 'secret' | 'config' | 'task';
export const CLUSTER_EVENT_TYPES: readonly ClusterEventType[] = ['service', 'node', 'secret', 'config', 'task'];

/** One change of an object as clients are told of it, without its time. */
export interface EventDraft {
  readonly type: ClusterEventType;
  readonly action: 'create' | 'update' | 'remove';
  /** Of the object. */
  readonly id: string;
  /** `name`, and of an update what became what: `state.old`, `state.new`… Never a value of a secret or of a variable. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Labels of the object: filters see them, clients are not shown them. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface ClusterEvent extends EventDraft {
  /** When it was committed, ms since the epoch. */
  readonly time: number;
  /** Of this manager, without gaps from 1: events of one millisecond keep their order. */
  readonly number: number;
}

/** The events of this manager's cluster. */
export interface EventFeed {
  /** What is remembered of the past: the newest 1,000 events of objects and 4,000 of tasks, since the manager started. */
  past(): readonly ClusterEvent[];
  /**
   * Calls `listener` with the events that come, in order, some at a time: never within a commit.
   * What `past` returned before is not repeated, and nothing in between is missed, when both are
   * called in one turn of the event loop.
   */
  subscribe(listener: (events: readonly ClusterEvent[]) => void): () => void;
}
