import { describe, expect, it } from 'vitest';
import { CALL_RULES, refuseCall, type Caller, type CallRule } from '../../../proto/call-admission.js';
import { clusterServices } from '../../../proto/grpc-services.js';

const peer = (role: 'worker' | 'manager', clusterId = 'c1'): Caller => ({
  kind: 'verified',
  peer: { nodeId: 'n1', clusterId, role, address: '10.0.0.1' },
});
const claim = { nodeId: 'n1', clusterId: 'c1', role: 'worker' } as const;
const anybody: CallRule = { kind: 'anybody' };
const members: CallRule = { kind: 'members', roles: ['worker', 'manager'] };
const managers: CallRule = { kind: 'members', roles: ['manager'] };

describe('the guard of the cluster port', () => {
  it.each<[string, CallRule | undefined, Caller, string | undefined]>([
    ['a stranger joins', anybody, { kind: 'none' }, undefined],
    ['an expired node joins', anybody, { kind: 'unverified', claim, issue: 'expired' }, undefined],
    ['a worker calls as a member', members, peer('worker'), undefined],
    ['a manager calls a manager’s method', managers, peer('manager'), undefined],
    ['a stranger calls as a member', members, { kind: 'none' }, 'BALE_CERTIFICATE_REQUIRED'],
    ['a worker calls a manager’s method', managers, peer('worker'), 'BALE_ROLE_FORBIDDEN'],
    ['a node of another cluster', members, peer('manager', 'c2'), 'BALE_OTHER_CLUSTER'],
    [
      'another root and another cluster',
      members,
      { kind: 'unverified', claim: { ...claim, clusterId: 'c2' }, issue: 'other-root' },
      'BALE_OTHER_CLUSTER',
    ],
    ['another root', members, { kind: 'unverified', claim, issue: 'other-root' }, 'BALE_CERTIFICATE_INVALID'],
    ['no node’s', members, { kind: 'unverified', claim: undefined, issue: 'other-root' }, 'BALE_CERTIFICATE_INVALID'],
    ['an expired one', members, { kind: 'unverified', claim, issue: 'expired' }, 'BALE_CERTIFICATE_EXPIRED'],
    ['a method without a rule', undefined, peer('manager'), 'BALE_METHOD_FORBIDDEN'],
  ])('%s', (_what, rule, caller, code) => {
    expect(refuseCall('/a/B', rule, caller, 'c1')?.code).toBe(code);
  });

  it('names both clusters, and the role and the method', () => {
    expect(refuseCall('/a/B', members, peer('worker', 'c2'), 'c1')?.message).toBe(
      'node n1: certificate of cluster c2 presented to cluster c1',
    );
    expect(refuseCall('/a/B', managers, peer('worker'), 'c1')?.message).toBe(
      'node n1 is a worker: it may not call /a/B',
    );
  });

  it('has a rule for every method that is served, and lets strangers call exactly two', () => {
    const { CertificateAuthority, Dispatcher, Streams } = clusterServices();
    const served = [CertificateAuthority, Dispatcher, Streams].flatMap(({ service }) =>
      Object.values(service).map(({ path }) => path),
    );
    expect([...CALL_RULES.keys()].sort()).toEqual(served.sort());
    const open = [...CALL_RULES].filter(([, rule]) => rule.kind === 'anybody').map(([path]) => path);
    expect(open).toEqual([
      '/bale.v1.CertificateAuthority/GetRootCertificate',
      '/bale.v1.CertificateAuthority/IssueNodeCertificate',
    ]);
  });
});
