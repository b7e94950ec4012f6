import type { SwarmSpec } from '../../proto/engine/swarm-document.js';
import { parseDuration } from '../../proto/engine/duration.js';
import { parseCount } from './quantity.js';
import { usageError } from './usage-error.js';

/** The flags of `swarm init` and `swarm update` that concern the cluster's spec, as given. */
export interface SwarmFlags {
  readonly autolock?: boolean;
  readonly certExpiry?: string;
  readonly dispatcherHeartbeat?: string;
  readonly externalCa?: readonly string[];
  readonly maxSnapshots?: string;
  readonly snapshotInterval?: string;
  readonly taskHistoryLimit?: string;
}

/** What `swarm init` begins from: the daemon fills the rest in. */
export const EMPTY_SPEC = { Orchestration: {}, Raft: {}, Dispatcher: {}, CAConfig: {} } as const;

type Patched = Pick<SwarmSpec, 'Orchestration' | 'Raft' | 'Dispatcher' | 'CAConfig'>;

/** The spec with the flags applied; what no flag names stays as it is, unknown fields included. */
export function patchSwarm<Spec extends Patched>(spec: Spec, flags: SwarmFlags): Spec {
  const { Orchestration, Raft, Dispatcher, CAConfig } = spec;
  return {
    ...spec,
    Orchestration: {
      ...Orchestration,
      ...of(flags.taskHistoryLimit, (text) => ({ TaskHistoryRetentionLimit: historyLimit(text) })),
    },
    Raft: {
      ...Raft,
      ...of(flags.maxSnapshots, (text) => ({ KeepOldSnapshots: parseCount('--max-snapshots', text) })),
      ...of(flags.snapshotInterval, (text) => ({ SnapshotInterval: parseCount('--snapshot-interval', text) })),
    },
    Dispatcher: {
      ...Dispatcher,
      ...of(flags.dispatcherHeartbeat, (text) => ({ HeartbeatPeriod: parseDuration(text, '--dispatcher-heartbeat') })),
    },
    CAConfig: {
      ...CAConfig,
      ...of(flags.certExpiry, (text) => ({ NodeCertExpiry: parseDuration(text, '--cert-expiry') })),
      ...of(flags.externalCa, (texts) => ({ ExternalCAs: texts.map(externalCa) })),
    },
  };
}

/** `true` and `false` as docker's own switches take them. */
export function parseAutolock(text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw usageError('--autolock', text, 'write true or false');
}

const of = <Given, Part extends object>(given: Given | undefined, part: (given: Given) => Part): Part | object =>
  given === undefined ? {} : part(given);

/** Less than nothing keeps all tasks. */
const historyLimit = (text: string): number => parseCount('--task-history-limit', text, -1);

/** `protocol=cfssl,url=https://ca.example`. */
function externalCa(text: string): Record<string, unknown> {
  const fields = new Map(
    text.split(',').map((part) => {
      const at = part.indexOf('=');
      if (at <= 0) throw usageError('--external-ca', text, `"${part}" must be a key=value pair`);
      return [part.slice(0, at), part.slice(at + 1)] as const;
    }),
  );
  const { protocol, url, ...Options } = Object.fromEntries(fields);
  if (protocol === undefined || url === undefined) {
    throw usageError('--external-ca', text, 'write it as protocol=cfssl,url=https://…');
  }
  return { Protocol: protocol, URL: url, Options };
}
