import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalLinks } from '../../agent/mesh/local-links.js';
import { Locals } from '../../agent/mesh/locals.js';
import { TunnelServer } from '../../agent/mesh/tunnel-server.js';
import { systemClock } from '../../core/clock.js';
import { IdentitySource } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { meshProbe, type ProbeAnswer } from '../../manager/node-health/probe.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';

let ca: TestCa;
let tunnels: TunnelServer;
const locals = new Locals();

beforeEach(async () => {
  ca = await TestCa.create();
  const identity = new IdentitySource(ca.identity('node1'));
  tunnels = new TunnelServer({
    identity,
    locals,
    localLinks: new LocalLinks({ locals, isDaemonHere: () => true, clock: systemClock }),
    isMember: () => false,
    logger: createLogger('silent'),
  });
  tunnels.server.listen(0, '127.0.0.1');
  await once(tunnels.server, 'listening');
});

afterEach(async () => {
  tunnels.destroy();
  const closed = once(tunnels.server, 'close');
  tunnels.server.close();
  await closed;
});

const probe = (role: 'manager' | 'worker'): Promise<ProbeAnswer> => {
  const { port } = tunnels.server.address() as AddressInfo;
  const ask = meshProbe(new IdentitySource(ca.identity('asker', role)));
  return ask({ nodeId: 'node1', meshAddr: `127.0.0.1:${port}` }, AbortSignal.timeout(10_000));
};

/** A manager asks again when a busy machine took longer than a probe may. */
const vouched = (): Promise<ProbeAnswer> =>
  eventually('its mesh to answer', async () => {
    const answer = await probe('manager');
    return answer.kind !== 'silent' && answer;
  });

describe('a manager that asks a real mesh', () => {
  it('learns which processes live, before the mesh has any table', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    locals.replace([
      { taskId: 'here', address: '127.0.0.1', pid: process.pid },
      { taskId: 'killed', address: '127.0.0.1', pid: child.pid ?? 0 },
    ]);
    expect(await vouched()).toMatchObject({ vouch: { alive: ['here', 'killed'], dead: [] } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await vouched()).toEqual({
      kind: 'vouch',
      vouch: { nodeId: 'node1', alive: ['here'], dead: ['killed'] },
    });
  });

  it('is the only one that is answered', async () => {
    expect((await probe('worker')).kind).toBe('silent');
  });
});
