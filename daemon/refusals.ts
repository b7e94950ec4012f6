import { BaleError } from '../core/errors.js';

/** What this version does not do, refused by name. `what` with its verb: `node updates are`. */
export const notImplemented = (what: string): BaleError =>
  new BaleError(`${what} not implemented in this version`, { kind: 'unimplemented', code: 'BALE_NOT_IMPLEMENTED' });

// The texts below are the Engine's own: tools match on them.

export const notInSwarm = (): BaleError =>
  new BaleError(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm ' +
      'and try again.',
    { kind: 'unavailable', code: 'BALE_NOT_A_MEMBER' },
  );

export const notManager = (): BaleError =>
  new BaleError(
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this " +
      'command on a manager node or promote the current node to a manager.',
    { kind: 'unavailable', code: 'BALE_NOT_A_MANAGER' },
  );

export const notPartOfSwarm = (): BaleError =>
  new BaleError('This node is not part of a swarm', { kind: 'unavailable', code: 'BALE_NOT_A_MEMBER' });

export const alreadyInSwarm = (): BaleError =>
  new BaleError(
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    { kind: 'unavailable', code: 'BALE_ALREADY_A_MEMBER' },
  );

export const lastManager = (): BaleError =>
  new BaleError(
    'You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager ' +
      'erases all current state of the swarm. Use `--force` to ignore this message. ',
    { kind: 'unavailable', code: 'BALE_LAST_MANAGER' },
  );

export const joinTimedOut = (): BaleError =>
  new BaleError(
    'Timeout was reached before node joined. The attempt to join the swarm will continue in the background. Use the ' +
      '"docker info" command to see the current swarm status of your node.',
    { kind: 'unavailable', code: 'BALE_JOIN_TIMEOUT' },
  );

export const notLocked = (): BaleError =>
  new BaleError('swarm is not locked', { kind: 'conflict', code: 'BALE_NOT_LOCKED' });

/** The daemon ends, or the node is still on its way into or out of a cluster. */
export const notReady = (what: string): BaleError =>
  new BaleError(`this node ${what}; try again in a moment`, { kind: 'unavailable', code: 'BALE_NODE_NOT_READY' });
