import { BaleError } from '../../core/errors.js';
import type { NodeAvailability } from '../../proto/engine/node-document.js';
import type { NodeObject } from '../store/objects.js';

export interface JoinFacts {
  /** Which of the cluster's present join tokens the joiner showed. */
  readonly token: 'worker' | 'manager' | 'none';
  /** As the joiner wrote it; empty means active. */
  readonly availability: string;
}

/**
 * The node that a joiner with this key is already: it was let in, and the answer was lost on the way. A node that has
 * had a session got its answer; the same key is then another wish.
 */
export const nodeOfKey = (nodes: readonly NodeObject[], joinKey: string): NodeObject | undefined =>
  nodes.find((node) => node.joinKey === joinKey && node.description === undefined);

export interface Admission {
  readonly kind: 'admit';
  readonly role: 'worker';
  readonly availability: NodeAvailability;
  readonly reason: string;
}

export type JoinDecision = Admission | { readonly kind: 'refuse'; readonly error: BaleError };

const AVAILABILITIES: readonly NodeAvailability[] = ['active', 'pause', 'drain'];

/** Whether a node may enter the cluster, and as what. The token is judged first: a stranger learns nothing else. */
export function decideJoin(facts: JoinFacts): JoinDecision {
  switch (facts.token) {
    case 'none':
      return refuse(
        'BALE_JOIN_TOKEN_REFUSED',
        'invalid',
        'A valid join token is necessary to join this cluster: this one is not, or no longer, a token of it. ' +
          'Get the present one on a manager with "bale swarm join-token worker"',
      );
    case 'manager':
      return refuse(
        'BALE_MANAGER_JOIN_UNAVAILABLE',
        'unimplemented',
        'joining as a manager is not available yet: this version runs one manager; join with the worker token',
      );
    case 'worker': {
      const wanted = facts.availability === '' ? 'active' : facts.availability;
      const availability = AVAILABILITIES.find((known) => known === wanted);
      if (availability !== undefined) {
        return { kind: 'admit', role: 'worker', availability, reason: 'the worker token was shown' };
      }
      return refuse(
        'BALE_AVAILABILITY_INVALID',
        'invalid',
        `availability: "${facts.availability.slice(0, 40)}" is none of active, pause, drain`,
      );
    }
  }
}

const refuse = (code: string, kind: 'invalid' | 'unimplemented', message: string): JoinDecision => ({
  kind: 'refuse',
  error: new BaleError(message, { kind, code }),
});
