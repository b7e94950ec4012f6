import { expect, test } from 'vitest';
import { nameNodeInExecIds, parseRemoteExec } from '../../../daemon/exec-id.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const NODE = 'n'.repeat(25);

test('the id that a client is given leads back to the node', () => {
  const { Id } = JSON.parse(nameNodeInExecIds('exec', `{"Id":"${A}"}\n`, NODE)) as { Id: string };
  expect(parseRemoteExec(Id)).toEqual({ execId: A, nodeId: NODE });
});

test('an exec instance is shown with the same id; that of its container is the Engine’s', () => {
  expect(nameNodeInExecIds('exec-inspect', `{"ID":"${A}","ContainerID":"${B}","ExitCode":0}`, NODE)).toBe(
    `{"ID":"${A}.${NODE}","ContainerID":"${B}","ExitCode":0}`,
  );
});

test('a container names its exec instances so, and nothing else of it changes', () => {
  const big = '"Memory":9223372036854771712,"Env":["X=\\"ExecIDs\\":[\\"y\\"]"]';
  expect(nameNodeInExecIds('inspect', `{"Id":"${A}",${big},"ExecIDs":["${A}","${B}"]}`, NODE)).toBe(
    `{"Id":"${A}",${big},"ExecIDs":["${A}.${NODE}","${B}.${NODE}"]}`,
  );
  expect(nameNodeInExecIds('inspect', `{"ExecIDs":null,"Id":"${A}"}`, NODE)).toBe(`{"ExecIDs":null,"Id":"${A}"}`);
});

test.each([A, `${A}.`, `${A}.short`, `${A.slice(1)}.${NODE}`, `${A}.${NODE}x`, `${NODE}.${A}`, ''])(
  '%s is no id of ours',
  (reference) => {
    expect(parseRemoteExec(reference)).toBeUndefined();
  },
);
