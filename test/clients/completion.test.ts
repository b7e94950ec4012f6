import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, type Compiled } from '../support/compile.js';
import { must } from '../support/run.js';
import { scriptedDaemon, type ScriptedDaemon } from '../support/scripted-daemon.js';

let compiled: Compiled;
let daemon: ScriptedDaemon;
let scratch: string;
let path: string;

beforeAll(async () => {
  compiled = await compile('bin/bale.ts');
  daemon = await scriptedDaemon((request) =>
    request === 'GET /services' ? { body: ['web', 'worker'].map((Name) => ({ Spec: { Name } })) } : undefined,
  );
  scratch = await mkdtemp(join(tmpdir(), 'bale-completion-'));
  const bin = join(scratch, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'bale'), `#!/bin/sh\nexec '${process.execPath}' '${compiled.entry}' "$@"\n`, {
    mode: 0o755,
  });
  await writeFile(join(scratch, 'notes.env'), '');
  path = `${bin}:${process.env.PATH ?? ''}`;
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await compiled.dispose();
  await rm(scratch, { recursive: true, force: true });
});

const shell = (command: string, args: readonly string[], input?: string): Promise<string> =>
  must(command, args, {
    env: { PATH: path, HOME: scratch, ZDOTDIR: scratch, BALE_HOST: daemon.host, TERM: 'dumb' },
    timeout: 60_000,
    ...(input === undefined ? {} : { input }),
  });

const installed = (program: string): boolean => {
  try {
    execFileSync(program, ['-c', 'true']);
    return true;
  } catch {
    return false;
  }
};

describe('bash', () => {
  /** The words as bash cuts them, its COMP_WORDS; the cursor stands at the end of the line. */
  async function completed(line: string, words: readonly string[]): Promise<string> {
    const script = [
      'source <(bale completion bash)',
      'compopt() { echo "compopt $*"; }',
      `COMP_LINE=${quoted(line)} COMP_POINT=${line.length} COMP_CWORD=${words.length - 1}`,
      `COMP_WORDS=(${words.map(quoted).join(' ')})`,
      '_bale',
      'printf "%s\\n" "${COMPREPLY[@]}"',
      'complete -p bale',
    ].join('\n');
    const out = await shell('bash', ['--norc', '-c', script]);
    expect(out).toContain('complete -F _bale bale\n');
    return out.replace('complete -F _bale bale\n', '').trim().replaceAll('\n', ' ');
  }
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

  test.each([
    ['bale serv', ['bale', 'serv'], 'service'],
    ['bale service ro', ['bale', 'service', 'ro'], 'rollback'],
    ['bale  service   ps ', ['bale', 'service', 'ps', ''], 'web worker'],
    ['bale service ps wo', ['bale', 'service', 'ps', 'wo'], 'worker'],
    ['bale service create --mode=glo', ['bale', 'service', 'create', '--mode', '=', 'glo'], 'global global-job'],
    [
      'bale service create --mode=',
      ['bale', 'service', 'create', '--mode', '='],
      'replicated global replicated-job global-job',
    ],
    [
      'bale service create -p 80:80 --update-ord',
      ['bale', 'service', 'create', '-p', '80', ':', '80', '--update-ord'],
      '--update-order',
    ],
    [
      'bale service create --env "a b" --update-ord',
      ['bale', 'service', 'create', '--env', '"a b"', '--update-ord'],
      '--update-order',
    ],
    ['bale service scale wor', ['bale', 'service', 'scale', 'wor'], 'compopt -o nospace worker='],
    [
      'bale service scale web=2 wor',
      ['bale', 'service', 'scale', 'web', '=', '2', 'wor'],
      'compopt -o nospace worker=',
    ],
    ['bale service create --env-file ', ['bale', 'service', 'create', '--env-file', ''], 'compopt -o default'],
    ['bale nonsense ', ['bale', 'nonsense', ''], ''],
  ])('%s|', async (line, words, expected) => {
    expect(await completed(line, words)).toBe(expected);
  });

  test('by the tab key, on a terminal', async () => {
    const typed = 'source <(bale completion bash)\nbale service rollb\t--help | head -1\nexit\n';
    const out = await shell('script', ['-qec', 'bash --norc -i', '/dev/null'], typed);
    expect(out).toMatch(/^.*Usage: bale service rollback \[options\] <service>/m);
  });
});

describe.runIf(installed('fish'))('fish', () => {
  test.each([
    ['bale service ro', ['rollback']],
    ['bale service ps w', ['web', 'worker']],
    ['bale service create --mode=glo', ['--mode=global', '--mode=global-job']],
    ['bale service create --env-file not', ['notes.env']],
    ['bale nonsense ', []],
  ])('%s|', async (line, expected) => {
    const script = `cd ${scratch}; bale completion fish | source; complete -C '${line}'`;
    const out = await shell('fish', ['--no-config', '-c', script]);
    expect(out.split('\n').flatMap((row) => (row === '' ? [] : [row.split('\t')[0]]))).toEqual(expected);
  });
});

describe.runIf(installed('zsh'))('zsh', () => {
  /** A real zsh on a terminal of its own: a line is typed, then a tab, and what stands in the line is printed. */
  test.each([
    ['bale service ro', 'bale service rollback '],
    ['bale service ps wo', 'bale service ps worker '],
    ['bale service scale wo', 'bale service scale worker='],
    ['bale service create --update-order=sta', 'bale service create --update-order=start-first '],
    ['bale service create --env-file not', 'bale service create --env-file notes.env '],
  ])('%s|', async (line, expected) => {
    const script = [
      'zmodload zsh/zpty',
      'zpty -b z zsh -f -i',
      `zpty -w z 'PS1=; cd ${scratch}; autoload -U compinit; compinit -u -D; source <(bale completion zsh)'`,
      // Ctrl-X prints the line as it stands.
      `zpty -w z 'show() { print -r -- "<<$BUFFER>>"; BUFFER=; }; zle -N show; bindkey "^X" show; print se""t'`,
      "zpty -r z out '*set*'",
      `zpty -w -n z $'${line}\\t\\x18'`,
      "zpty -r z out '*<<*>>*'",
      'print -r -- "$out"',
      'zpty -d z',
    ].join('\n');
    const out = await shell('zsh', ['-f', '-c', script]);
    expect(/<<(.*)>>/.exec(out)?.[1]).toBe(expected);
  });
});
