import { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { knownRequester, requesterOf, requesterText, setRequester } from '../../../daemon/requester.js';

describe('the requester of a connection', () => {
  it('is the one that its listener vouched for', () => {
    const socket = new Socket();
    setRequester(socket, { kind: 'certificate', name: 'alice', role: 'viewer' });
    expect(requesterOf({ socket })).toEqual({ kind: 'certificate', name: 'alice', role: 'viewer' });
    socket.destroy();
  });

  it('is nobody when no listener vouched for it: the request is not taken for one of the unix socket', () => {
    const socket = new Socket();
    expect(knownRequester(new Duplex())).toBeUndefined();
    expect(() => requesterOf({ socket })).toThrow(/no listener vouched/);
    socket.destroy();
  });

  it('is named in one line', () => {
    expect(requesterText({ kind: 'socket' })).toBe('unix socket');
    expect(requesterText({ kind: 'certificate', name: 'ci', role: 'operator' })).toBe('certificate ci (operator)');
  });
});
