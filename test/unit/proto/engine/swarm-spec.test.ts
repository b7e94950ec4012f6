import { describe, expect, it } from 'vitest';
import { decodeSwarmSpec } from '../../../../proto/engine/swarm-spec-shape.js';
import { decodeSwarmInit, decodeSwarmJoin } from '../../../../proto/engine/swarm-request.js';
import { caught } from '../../../support/caught.js';

const HOUR = 3_600e9;

/** What the docker CLI sends, and what the Engine then shows. */
const SENT = {
  Labels: null,
  Orchestration: {},
  Raft: { ElectionTick: 0, HeartbeatTick: 0 },
  Dispatcher: {},
  CAConfig: {},
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
};
const SHOWN = {
  Name: 'default',
  Labels: {},
  Orchestration: { TaskHistoryRetentionLimit: 5 },
  Raft: {
    SnapshotInterval: 10_000,
    KeepOldSnapshots: 0,
    LogEntriesForSlowFollowers: 500,
    ElectionTick: 10,
    HeartbeatTick: 1,
  },
  Dispatcher: { HeartbeatPeriod: 5e9 },
  CAConfig: { NodeCertExpiry: 2_160 * HOUR },
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
};

describe('swarm spec', () => {
  it('is filled with the defaults, and what is shown can be sent back', () => {
    expect(decodeSwarmSpec(SENT)).toEqual(SHOWN);
    expect(decodeSwarmSpec({})).toEqual(SHOWN);
    expect(decodeSwarmSpec(SHOWN)).toEqual(SHOWN);
  });

  it('keeps what can be set, also a retention of none', () => {
    const spec = decodeSwarmSpec({
      Labels: { a: 'b' },
      Orchestration: { TaskHistoryRetentionLimit: 0 },
      Dispatcher: { HeartbeatPeriod: 1e9 },
      CAConfig: { NodeCertExpiry: 8_760 * HOUR },
    });
    expect(spec).toEqual({
      ...SHOWN,
      Labels: { a: 'b' },
      Orchestration: { TaskHistoryRetentionLimit: 0 },
      Dispatcher: { HeartbeatPeriod: 1e9 },
      CAConfig: { NodeCertExpiry: 8_760 * HOUR },
    });
  });

  it.each([
    ['Raft.SnapshotInterval 5000', { Raft: { SnapshotInterval: 5_000 } }],
    ['Raft.KeepOldSnapshots 1', { Raft: { KeepOldSnapshots: 1 } }],
    ['Raft.LogEntriesForSlowFollowers 1', { Raft: { LogEntriesForSlowFollowers: 1 } }],
    ['Raft.ElectionTick 3', { Raft: { ElectionTick: 3 } }],
    ['Raft.HeartbeatTick 2', { Raft: { HeartbeatTick: 2 } }],
    ['CAConfig.ExternalCAs', { CAConfig: { ExternalCAs: [{ Protocol: 'cfssl' }] } }],
    ['CAConfig.SigningCACert', { CAConfig: { SigningCACert: 'PEM' } }],
    ['CAConfig.SigningCAKey', { CAConfig: { SigningCAKey: 'very secret' } }],
    ['CAConfig.ForceRotate', { CAConfig: { ForceRotate: 1 } }],
    ['EncryptionConfig.AutoLockManagers', { EncryptionConfig: { AutoLockManagers: true } }],
  ])('refuses %s by name', (field, body) => {
    const error = caught(() => decodeSwarmSpec(body));
    expect(error?.kind).toBe('unimplemented');
    expect(error?.message.startsWith(`${field} is not implemented yet: `)).toBe(true);
    expect(error?.message).not.toContain('secret');
  });

  it.each([
    ['swarm spec must be named "default"', { Name: 'mine' }],
    [
      'invalid SwarmSpec: Orchestration.TaskHistoryRetentionLimit: expected a number, got a string',
      { Orchestration: { TaskHistoryRetentionLimit: '5' } },
    ],
    [
      'rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s',
      { CAConfig: { NodeCertExpiry: HOUR - 1 } },
    ],
    [
      'rpc error: code = InvalidArgument desc = maximum certificate expiry time is: 876000h0m0s',
      { CAConfig: { NodeCertExpiry: 876_001 * HOUR } },
    ],
    [
      'rpc error: code = InvalidArgument desc = heartbeat time period cannot be a negative duration',
      { Dispatcher: { HeartbeatPeriod: -1 } },
    ],
    [
      'rpc error: code = InvalidArgument desc = heartbeat time period must be between 100ms and 24h0m0s',
      { Dispatcher: { HeartbeatPeriod: 1 } },
    ],
    [
      'rpc error: code = InvalidArgument desc = heartbeat time period must be between 100ms and 24h0m0s',
      { Dispatcher: { HeartbeatPeriod: 25 * HOUR } },
    ],
  ])('%s', (message, body) => {
    expect(caught(() => decodeSwarmSpec(body))).toMatchObject({ kind: 'invalid', message });
  });
});

describe('swarm requests', () => {
  const INIT = {
    ListenAddr: '127.0.0.1:2377',
    AdvertiseAddr: '127.0.0.1',
    DataPathAddr: '',
    DataPathPort: 0,
    ForceNewCluster: false,
    Spec: SENT,
    AutoLockManagers: false,
    Availability: '',
    DefaultAddrPool: [],
    SubnetSize: 24,
  };

  it("takes the CLI's init and completes its spec", () => {
    expect(decodeSwarmInit(INIT)).toEqual({
      ListenAddr: '127.0.0.1:2377',
      AdvertiseAddr: '127.0.0.1',
      DataPathAddr: '',
      ForceNewCluster: false,
      AutoLockManagers: false,
      Availability: '',
      SubnetSize: 24,
      Spec: SHOWN,
    });
  });

  it("takes dockerode's init, with a field of old", () => {
    const body = { ListenAddr: '0.0.0.0:2377', Spec: { AcceptancePolicy: { Policies: [] }, Raft: {}, CAConfig: {} } };
    expect(decodeSwarmInit(body)).toMatchObject({ ListenAddr: '0.0.0.0:2377', AdvertiseAddr: '', Spec: SHOWN });
  });

  it.each([
    ['DataPathAddr "10.0.0.1"', { DataPathAddr: '10.0.0.1' }],
    ['DataPathPort 4000', { DataPathPort: 4_000 }],
    ['DefaultAddrPool', { DefaultAddrPool: ['10.0.0.0/8'] }],
    ['SubnetSize 28', { SubnetSize: 28 }],
    ['ForceNewCluster', { ForceNewCluster: true }],
    ['AutoLockManagers', { AutoLockManagers: true }],
    ['Spec.Raft.ElectionTick 3', { Spec: { Raft: { ElectionTick: 3 } } }],
  ])('init: refuses %s by name', (field, over) => {
    const error = caught(() => decodeSwarmInit({ ...INIT, ...over }));
    expect(error?.kind).toBe('unimplemented');
    expect(error?.message.startsWith(`${field} is not implemented yet: `)).toBe(true);
  });

  it('init: names a wrong word, and checks the spec', () => {
    expect(caught(() => decodeSwarmInit({ ...INIT, Availability: 'on' }))?.message).toBe(
      'invalid SwarmInitRequest: Availability: must be one of active, pause, drain, got "on"',
    );
    expect(caught(() => decodeSwarmInit({ ...INIT, Spec: { CAConfig: { NodeCertExpiry: 1 } } }))?.message).toContain(
      'minimum certificate expiry time',
    );
  });

  it('takes a join', () => {
    expect(decodeSwarmJoin({ RemoteAddrs: ['10.0.0.1:2377'], JoinToken: 'T', availability: 'Drain' })).toEqual({
      ListenAddr: '',
      AdvertiseAddr: '',
      DataPathAddr: '',
      RemoteAddrs: ['10.0.0.1:2377'],
      JoinToken: 'T',
      Availability: 'drain',
    });
  });

  it('join: wants an address', () => {
    expect(caught(() => decodeSwarmJoin({ JoinToken: 'T' }))?.message).toBe(
      'at least 1 RemoteAddr is required to join',
    );
    expect(caught(() => decodeSwarmJoin({ RemoteAddrs: 'x' }))?.message).toBe(
      'invalid SwarmJoinRequest: RemoteAddrs: expected a list, got a string',
    );
  });
});
