import type { Resources } from './requirement.js';

/** What the order of two nodes for the next task of a service rests on. */
export interface Standing {
  readonly nodeId: string;
  /** Failures of this version of the service there within the last minutes. */
  readonly failures: number;
  /** Tasks of the service there that shall live. */
  readonly serviceTasks: number;
  /** Tasks of all services there that shall live. */
  readonly tasks: number;
  readonly total: Resources;
  readonly reserved: Resources;
}

/** So many failures are no accident: the node comes after those that have fewer. */
const MANY_FAILURES = 5;

/** Nodes whose reserved shares differ by less than this count as equally full. */
const SHARE_STEP = 0.1;

/**
 * Negative when `a` is the better place: not the node where the service keeps failing, then the one
 * with fewest tasks of the service, then with most free of what tasks reserve, then with fewest
 * tasks, then by id (so that the same state always gives the same choice).
 */
export function compareStandings(a: Standing, b: Standing): number {
  return (
    failureRank(a) - failureRank(b) ||
    a.serviceTasks - b.serviceTasks ||
    fullness(a) - fullness(b) ||
    a.tasks - b.tasks ||
    (a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : 0)
  );
}

const failureRank = ({ failures }: Standing): number => (failures >= MANY_FAILURES ? failures : 0);

/** The scarcer resource's reserved share in steps: a few reserved bytes shall not outweigh fifty tasks. */
const fullness = ({ total, reserved }: Standing): number =>
  Math.floor(
    Math.max(share(reserved.nanoCpus, total.nanoCpus), share(reserved.memoryBytes, total.memoryBytes)) / SHARE_STEP,
  );

const share = (reserved: number, total: number): number => (reserved === 0 ? 0 : total <= 0 ? 1 : reserved / total);
