import { BaleError } from '../../core/errors.js';
import type { ServiceMode } from '../../proto/engine/service-spec.js';
import { parseCount } from './quantity.js';
import { usageError } from './usage-error.js';

/** The flags of `service create` that make its mode, as given. */
export interface ModeFlags {
  readonly mode?: string;
  readonly replicas?: string;
  readonly maxConcurrent?: string;
  readonly replicasMaxPerNode?: string;
}

/** The mode as docker's CLI makes it of these flags, and refuses it. */
export function serviceMode(flags: ModeFlags): ServiceMode {
  const replicas = countOf('--replicas', flags.replicas);
  const concurrent = countOf('--max-concurrent', flags.maxConcurrent);
  const mode = flags.mode ?? 'replicated';
  if (concurrent !== undefined && mode !== 'replicated-job') {
    throw wrongMode('max-concurrent can only be used with replicated-job mode');
  }
  switch (mode) {
    case 'replicated':
      return { Replicated: replicas === undefined ? {} : { Replicas: replicas } };
    case 'global':
      refuseCounts(flags);
      return { Global: {} };
    case 'replicated-job': {
      const most = concurrent ?? replicas;
      return {
        ReplicatedJob: {
          ...(most === undefined ? {} : { MaxConcurrent: most }),
          ...(replicas === undefined ? {} : { TotalCompletions: replicas }),
        },
      };
    }
    case 'global-job':
      refuseCounts(flags);
      return { GlobalJob: {} };
    default:
      throw usageError('--mode', mode, 'the modes are replicated, global, replicated-job, global-job');
  }
}

/** One task a node is what these modes are. */
function refuseCounts({ replicas, replicasMaxPerNode }: ModeFlags): void {
  if (replicas !== undefined) throw wrongMode('replicas can only be used with replicated or replicated-job mode');
  if (replicasMaxPerNode !== undefined) {
    throw wrongMode('replicas-max-per-node can only be used with replicated or replicated-job mode');
  }
}

const countOf = (flag: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseCount(flag, text);

const wrongMode = (message: string): BaleError =>
  new BaleError(message, { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
