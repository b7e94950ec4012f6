import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalEndpoint } from '../../../../agent/mesh/messages.js';
import { IdentitySource } from '../../../../core/identity.js';
import { meshProbe, type ProbeAnswer } from '../../../../manager/node-health/probe.js';
import { SimulatedMesh } from '../../../support/cluster-mesh.js';
import { TestCa } from '../../../support/identities.js';

let ca: TestCa;
let mesh: SimulatedMesh;
let deaf: Server;
const local = (taskId: string): LocalEndpoint => ({ taskId, address: '172.17.0.2', pid: 1 });

const never = new AbortController().signal;
/** With time for a busy machine to answer. */
const PATIENCE = 60_000;

const ask = (
  meshAddr: string,
  nodeId = 'node1',
  authority = ca,
  signal = never,
  timeout = PATIENCE,
): Promise<ProbeAnswer> =>
  meshProbe(new IdentitySource(authority.identity('manager1', 'manager')), timeout)({ nodeId, meshAddr }, signal);

beforeEach(async () => {
  ca = await TestCa.create();
  mesh = await SimulatedMesh.start(ca.identity('node1'), (taskId) => taskId !== 'gone');
  mesh.setLocals([local('here'), local('gone')]);
  // Reads and never answers; `close` waits until the other side has let go.
  deaf = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await mesh.close();
  await new Promise((resolve) => deaf.close(resolve));
});

describe('a probe of a mesh', () => {
  it('tells which containers live', async () => {
    expect(await ask(mesh.addr)).toEqual({
      kind: 'vouch',
      vouch: { nodeId: 'node1', alive: ['here'], dead: ['gone'] },
    });
  });

  it('tells that nobody listens', async () => {
    const { addr } = mesh;
    await mesh.close();
    expect(await ask(addr)).toEqual({ kind: 'refused' });
    mesh = await SimulatedMesh.start(ca.identity('node1'), () => true);
  });

  it('gives up soon on a mesh that does not answer', async () => {
    mesh.silent = true;
    const probe = meshProbe(new IdentitySource(ca.identity('manager1', 'manager')));
    const answer = await probe({ nodeId: 'node1', meshAddr: mesh.addr }, never);
    expect(answer).toEqual({ kind: 'silent', error: 'its mesh did not answer within 500 ms' });
  });

  it('gives up on something that does not speak TLS', async () => {
    const { port } = deaf.address() as AddressInfo;
    expect((await ask(`127.0.0.1:${port}`, 'node1', ca, never, 100)).kind).toBe('silent');
  });

  it('believes only the node that it asks', async () => {
    expect((await ask(mesh.addr, 'node2')).kind).toBe('silent');
  });

  it('believes only members of its cluster', async () => {
    const other = await TestCa.create();
    expect((await ask(mesh.addr, 'node1', other)).kind).toBe('silent');
  });

  it('ends with its signal', async () => {
    mesh.silent = true;
    const abort = new AbortController();
    const answer = ask(mesh.addr, 'node1', ca, abort.signal);
    abort.abort();
    await expect(answer).rejects.toThrow('aborted');
  });
});
