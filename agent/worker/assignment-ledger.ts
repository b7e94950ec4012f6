import type { Assignment, AssignmentSet } from '../../proto/assignment.js';

/** The set of tasks assigned to this node, and its number in the session; `undefined` before its first COMPLETE. */
export interface AssignmentLedger {
  readonly number: number | undefined;
  readonly tasks: ReadonlyMap<string, Assignment>;
}

export const EMPTY_LEDGER: AssignmentLedger = { number: undefined, tasks: new Map() };

export type LedgerOutcome =
  | { readonly kind: 'applied'; readonly ledger: AssignmentLedger; readonly complete: boolean }
  /** A message was lost: the session must be opened again, which brings a COMPLETE. */
  | { readonly kind: 'gap'; readonly reason: string };

/** Applies what a manager sent to what is known. A COMPLETE replaces all, whatever was before. */
export function applyAssignments(ledger: AssignmentLedger, message: AssignmentSet): LedgerOutcome {
  if (message.kind === 'complete') {
    const tasks = new Map(message.set.map((assignment) => [assignment.taskId, assignment]));
    return { kind: 'applied', ledger: { number: message.resultsIn, tasks }, complete: true };
  }
  if (ledger.number !== message.appliesTo) {
    const known = ledger.number === undefined ? 'none' : `number ${ledger.number}`;
    return { kind: 'gap', reason: `assignments apply to set ${message.appliesTo}, this node has ${known}` };
  }
  const tasks = new Map(ledger.tasks);
  for (const assignment of message.set) tasks.set(assignment.taskId, assignment);
  for (const taskId of message.remove) tasks.delete(taskId);
  return { kind: 'applied', ledger: { number: message.resultsIn, tasks }, complete: false };
}

/** A new session numbers its sets anew: what is known is kept, but only a COMPLETE may follow. */
export const forNewSession = (ledger: AssignmentLedger): AssignmentLedger => ({ ...ledger, number: undefined });
