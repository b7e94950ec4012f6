/**
 * What a node's mesh answers to `GET /bale/v1/tasks` on its tunnel port (mTLS, managers only): which
 * containers of its node live. By it a manager tells a daemon that is gone from a machine that is gone.
 */
export interface Vouch {
  readonly nodeId: string;
  /** Task ids whose container process lives. */
  readonly alive: readonly string[];
  /** Task ids told by the last daemon whose process is gone. */
  readonly dead: readonly string[];
}

export const VOUCH_PATH = '/bale/v1/tasks';
