import { describe, expect, test } from 'vitest';
import { shapeOf, type CommandShape } from '../../../../cli/completion/command-shape.js';
import { complete } from '../../../../cli/completion/complete.js';
import { FILTERED_COMMANDS, FLAGS_WITH_SOURCE, OPERANDS_WITH_SOURCE } from '../../../../cli/completion/value-source.js';
import { runCli } from '../../../../cli/main.js';
import { registeredCommands } from '../../../support/registered-commands.js';
import { scriptedDaemon } from '../../../support/scripted-daemon.js';

const ROOT = shapeOf(registeredCommands().program);

const wantedAt = (line: string) => complete(ROOT, line.split(' ')).wanted;
function offered(line: string): readonly string[] {
  const wanted = wantedAt(line);
  return wanted.kind === 'words' ? wanted.candidates.map(({ word }) => word) : [`(${wanted.kind})`];
}

test.each([
  ['serv', ['service']],
  ['service rol', ['rollback']],
  ['service list --fo', ['--format']],
  ['service create --update-o', ['--update-order']],
  ['service create --update-order ', ['start-first', 'stop-first']],
  ['service create --update-order=sto', ['--update-order=stop-first']],
  ['service create -qd --mode gl', ['global', 'global-job']],
  ['service create -p 80:80 nginx --re', ['(nothing)']],
  ['exec web.1 sh --', ['(nothing)']],
  ['top web -o', ['(nothing)']],
  ['service create --env-file ', ['(files)']],
  ['service update --env-add A=b --env-a', ['--env-add']],
  ['service update --image nginx --ima', []],
  ['swarm join-token ', ['worker', 'manager']],
  ['swarm join-token worker ', ['(nothing)']],
  ['node update --availability dr', ['drain']],
  ['secret create db ', ['(files)']],
  ['client-cert create --role o', ['operator']],
  ['--tlskey ', ['(files)']],
  ['node ls --filter ro', ['role=']],
  ['completion z', ['zsh']],
  ['help service roll', ['rollback']],
  ['nonsense ', ['(nothing)']],
  ['service ls -- --fo', ['(nothing)']],
  ['-H unix:///x serv', ['service']],
])('%s| offers %j', (line, expected) => {
  expect(offered(line)).toEqual(expected);
});

test('what is hidden is not offered', () => {
  expect(offered('')).not.toContain('__complete');
  expect(offered('service create --no-')).not.toContain('--no-init');
});

test.each([
  ['service ps ', { of: 'services', before: '', after: '', except: [] }],
  ['service rm web ', { of: 'services', before: '', after: '', except: ['web'] }],
  ['service scale ', { of: 'services', before: '', after: '=', except: [] }],
  ['service logs -f ', { of: 'services', before: '', after: '', except: [] }],
  ['service create --secret=', { of: 'secrets', before: '--secret=', after: '', except: [] }],
  ['service update --config-rm ', { of: 'configs', before: '', after: '', except: [] }],
  ['exec -it ', { of: 'tasks', before: '', after: '', except: [] }],
  ['node drain ', { of: 'nodes', before: '', after: '', except: [] }],
])('%s| asks for names', (line, expected) => {
  expect(wantedAt(line)).toEqual({ kind: 'names', ...expected });
});

test.each(['-H unix:///a.sock', '-Hunix:///a.sock', '--host=unix:///a.sock', '--host unix:///a.sock'])(
  'the names are those of the daemon that %s names',
  (flag) => {
    expect(complete(ROOT, [...flag.split(' '), 'service', 'ps', '']).daemon).toEqual({ host: 'unix:///a.sock' });
  },
);

describe('the table of values', () => {
  const all = (command: CommandShape): readonly CommandShape[] => [command, ...command.commands.flatMap(all)];
  const commands = all(ROOT);

  test('names flags, operands and commands that there are', () => {
    const flags = new Set(commands.flatMap(({ flags }) => flags.map(({ long }) => long)));
    const operands = new Set(commands.flatMap(({ operands }) => operands.map(({ name }) => name)));
    const filtered = ROOT.commands.flatMap(({ name, commands: verbs }) =>
      verbs.filter((verb) => verb.flags.some(({ long }) => long === '--filter')).map((verb) => `${name} ${verb.name}`),
    );
    expect(FLAGS_WITH_SOURCE.filter((flag) => !flags.has(flag))).toEqual([]);
    expect(OPERANDS_WITH_SOURCE.filter((operand) => !operands.has(operand))).toEqual([]);
    expect([...FILTERED_COMMANDS].sort()).toEqual(filtered.sort());
  });
});

async function answer(host: string, ...words: string[]): Promise<string> {
  let printed = '';
  const code = await runCli(['__complete', '--', '-H', host, ...words], {
    print: (text) => void (printed += text),
    warn: (text) => void (printed += `warned: ${text}`),
    terminal: undefined,
  });
  expect(code).toBe(0);
  return printed;
}

test('names come from the daemon', async () => {
  await using daemon = await scriptedDaemon((request) => {
    if (request === 'GET /services') {
      return { body: ['web2', 'web10', 'db'].map((Name) => ({ ID: Name, Spec: { Name } })) };
    }
    if (request === 'GET /tasks') {
      return {
        body: [
          { ServiceID: 'db', Slot: 2 },
          { ServiceID: 'web2', NodeID: 'n' },
          { ServiceID: 'gone', Slot: 1 },
        ],
      };
    }
    return request === 'GET /nodes' ? { body: [{ Description: { Hostname: 'h2' } }] } : undefined;
  });
  expect(await answer(daemon.host, 'service', 'ps', 'w')).toBe('web2\nweb10\n:done\n');
  expect(await answer(daemon.host, 'service', 'rm', 'web2', '')).toBe('db\nweb10\n:done\n');
  expect(await answer(daemon.host, 'service', 'scale', 'd')).toBe('db=\n:open\n');
  expect(await answer(daemon.host, 'exec', '')).toBe('db.2\nweb2.n\n:done\n');
  expect(await answer(daemon.host, 'node', 'inspect', '')).toBe('h2\n:done\n');
});

test('without a daemon, and on a worker, there are no names and no errors', async () => {
  expect(await answer('unix:///nowhere.sock', 'service', 'ps', '')).toBe(':done\n');
  await using worker = await scriptedDaemon(() => ({ status: 503, body: { message: 'not a manager' } }));
  expect(await answer(worker.host, 'service', 'ps', '')).toBe(':done\n');
});
