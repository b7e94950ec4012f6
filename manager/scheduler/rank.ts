import type { Resources } from './requirement.js';

/** What the order of two nodes for the next task of a service rests on. */
export interface Standing {
  /** Failures of this version of the service there within the last minutes. */
  readonly failures: number;
  /** Tasks of the service there that shall live. */
  readonly serviceTasks: number;
  /** `generalKey` of the node. */
  readonly key: number;
}

/** So many failures are no accident: the node comes after those that have fewer. */
const MANY_FAILURES = 5;

/** Nodes whose reserved shares differ by less than this count as equally full. */
const SHARE_STEP = 0.1;

/**
 * Negative when `a` is the better place: not the node where the service keeps failing, then the one
 * with fewest tasks of the service, then by what all services have there.
 */
export function compareStandings(a: Standing, b: Standing): number {
  return failureRank(a.failures) - failureRank(b.failures) || a.serviceTasks - b.serviceTasks || a.key - b.key;
}

/** 0 where the service does not keep failing. */
export const failureRank = (failures: number): number => (failures >= MANY_FAILURES ? failures : 0);

const PLACES = 2 ** 20;
const FULLEST = 2 ** 12;

/**
 * The order of nodes whatever the service, as one number: most free of what tasks reserve, then
 * fewest tasks, then by `order`, the node's place among all by id (so that the same state always
 * gives the same choice). Exact up to a million nodes, and a million tasks on one.
 */
export const generalKey = (total: Resources, reserved: Resources, tasks: number, order: number): number =>
  (Math.min(fullness(total, reserved), FULLEST) * PLACES + Math.min(tasks, PLACES - 1)) * PLACES + order;

/** The scarcer resource's reserved share in steps: a few reserved bytes shall not outweigh fifty tasks. */
const fullness = (total: Resources, reserved: Resources): number =>
  Math.floor(
    Math.max(share(reserved.nanoCpus, total.nanoCpus), share(reserved.memoryBytes, total.memoryBytes)) / SHARE_STEP,
  );

const share = (reserved: number, total: number): number => (reserved <= 0 ? 0 : total <= 0 ? 1 : reserved / total);
