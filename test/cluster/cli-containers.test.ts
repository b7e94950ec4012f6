import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer, cliDaemon, serveWeb, startCli } from '../support/cli-streams.js';
import { eventually } from '../support/eventually.js';
import { type ExecProcess, frame, serveExec } from '../support/exec-engine.js';
import { readAll } from '../support/socket-client.js';

let at: Awaited<ReturnType<typeof cliDaemon>>;
beforeEach(async () => {
  at = await cliDaemon();
});
afterEach(() => at.end());

describe('exec', () => {
  const echo = ({ socket, exit }: ExecProcess): void => {
    void readAll(socket).then((all) => {
      socket.write(frame(1, all));
      exit(0);
    });
  };

  test('hands input on to its end, keeps the two outputs apart, and ends with the exit code of the command', async () => {
    serveExec(
      at.daemon,
      ({ socket, exit }) => {
        void readAll(socket).then((all) => {
          socket.write(Buffer.concat([frame(1, `got ${all.length}\n`), frame(2, 'a word of warning\n')]));
          exit(7);
        });
      },
      serveWeb,
    );
    const { input, ran } = startCli(at.daemon, ['exec', '-i', 'web.2', 'wc', '-c']);
    input.end(Buffer.alloc(3_000_000, 'x'));
    expect(await ran).toEqual({ code: 7, out: 'got 3000000\n', err: 'a word of warning\n' });
  });

  test('asks for what docker asks for', async () => {
    let asked: unknown;
    const { containers } = serveExec(
      at.daemon,
      (process) => {
        asked = process.asked;
        process.exit(0);
      },
      serveWeb,
    );
    const { ran } = startCli(at.daemon, [
      'exec',
      '-e',
      'A=b',
      '-u',
      '5:6',
      '-w',
      '/tmp',
      '--privileged',
      'web.2',
      'ls',
      '-l',
      '--all',
    ]);
    expect(await ran).toEqual({ code: 0, out: '', err: '' });
    expect(containers).toEqual(['web.2']);
    expect(asked).toEqual({
      ...{ AttachStdin: false, AttachStdout: true, AttachStderr: true, Tty: false, Detach: false, Privileged: true },
      ...{ User: '5:6', WorkingDir: '/tmp', DetachKeys: '', Env: ['A=b'], Cmd: ['ls', '-l', '--all'] },
    });
  });

  test('in a service runs in its first task', async () => {
    const { containers } = serveExec(
      at.daemon,
      ({ exit }) => {
        exit(0);
      },
      serveWeb,
    );
    expect((await startCli(at.daemon, ['exec', 'web', 'true']).ran).code).toBe(0);
    expect(containers).toEqual(['web.1.first']);
  });

  test('on a node that is no manager means a container of that node', async () => {
    const { containers } = serveExec(
      at.daemon,
      ({ exit }) => {
        exit(0);
      },
      (_request, response) => {
        answer(response, 503, { message: 'This node is not a swarm manager.' });
      },
    );
    expect((await startCli(at.daemon, ['exec', 'box', 'true']).ran).code).toBe(0);
    expect(containers).toEqual(['box']);
  });

  test('with a terminal is raw, tells its size and each new one, and gives the terminal back', async () => {
    const { resizes } = serveExec(
      at.daemon,
      ({ socket, exit }) => {
        socket.write('\u001b[1m$ ');
        socket.once('data', (keys: Buffer) => {
          socket.write(`typed ${JSON.stringify(keys.toString())}`);
          exit(0);
        });
      },
      serveWeb,
    );
    const { input, output, ran } = startCli(at.daemon, ['exec', '-it', 'web.1', 'sh'], { columns: 90, rows: 30 });
    const seen = new Promise<void>((resolve) => {
      output.once('data', () => {
        resolve();
      });
    });
    await Promise.race([seen, ran]);
    const told = (count: number) => eventually(`size ${count}`, () => Promise.resolve(resizes.length === count));
    await told(1);
    Object.assign(output, { columns: 100, rows: 40 });
    output.emit('resize');
    await told(2);
    input.write('\u0003');
    expect(await ran).toEqual({ code: 0, out: '\u001b[1m$ typed "\\u0003"', err: '' });
    expect(resizes).toEqual(['h=30&w=90', 'h=40&w=100']);
    expect(input.raw).toEqual([true, false]);
  });

  test('with -it and no terminal is refused as docker does', async () => {
    expect(await startCli(at.daemon, ['exec', '-it', 'web.1', 'sh']).ran).toEqual({
      ...{ code: 1, out: '', err: 'the input device is not a TTY\n' },
    });
  });

  test('detached does not wait', async () => {
    const { containers } = serveExec(at.daemon, () => undefined, serveWeb);
    expect(await startCli(at.daemon, ['exec', '-d', 'web.1', 'sleep', '9']).ran).toEqual({ code: 0, out: '', err: '' });
    expect(containers).toEqual(['web.1']);
  });

  test('ends although its own input never does', async () => {
    serveExec(
      at.daemon,
      ({ exit }) => {
        exit(4);
      },
      serveWeb,
    );
    expect((await startCli(at.daemon, ['exec', '-i', 'web.1', 'false']).ran).code).toBe(4);
  });

  test('whose connection breaks says so', async () => {
    serveExec(
      at.daemon,
      ({ socket }) => {
        socket.write(frame(1, 'half a'));
        void at.daemon.stop();
      },
      serveWeb,
    );
    const { code, err } = await startCli(at.daemon, ['exec', 'web.1', 'cat', '/big']).ran;
    expect(code).toBe(1);
    expect(err).toMatch(/Cannot connect to the bale daemon|the connection to the container broke/);
  });

  test('in a container that is refused prints the words of the daemon', async () => {
    at.daemon.behave = (_request, response) => {
      answer(response, 409, { message: 'Container web.1.t is not running: its task on node h2 is failed' });
    };
    expect(await startCli(at.daemon, ['exec', 'web.1', 'sh']).ran).toEqual({
      ...{ code: 1, out: '' },
      err: 'Error response from daemon: Container web.1.t is not running: its task on node h2 is failed\n',
    });
  });

  test('passes output of megabytes through a slow reader', async () => {
    serveExec(at.daemon, echo, serveWeb);
    const { input, ran } = startCli(at.daemon, ['exec', '-i', 'web.1', 'cat']);
    const sent = Buffer.alloc(5_000_000, 'abc');
    input.end(sent);
    expect((await ran).out === sent.toString()).toBe(true);
  });
});

describe('top', () => {
  test('shows the processes of each task with its node, and goes on where one cannot be asked', async () => {
    at.daemon.behave = (request, response) => {
      const url = request.url ?? '';
      const { pathname, searchParams } = new URL(url, 'http://docker');
      if (pathname === '/containers/web.1.first/top' && searchParams.get('ps_args') === '-o pid,comm') {
        answer(response, 200, {
          Titles: ['PID', 'COMMAND'],
          Processes: [
            ['11', 'sh'],
            ['12', 'sleep'],
          ],
        });
      } else if (url.startsWith('/containers/web.2.second/top')) {
        answer(response, 503, { message: 'cannot reach web.2.second on node h2' });
      } else serveWeb(request, response);
    };
    const { code, out, err } = await startCli(at.daemon, ['top', 'web', '-o', 'pid,comm']).ran;
    expect([code, out.replace(/ {2,}/g, '|'), err]).toEqual([
      1,
      'TASK|NODE|PID|COMMAND\nweb.1|h1|11|sh\nweb.1|h1|12|sleep\n',
      'web.2: Error response from daemon: cannot reach web.2.second on node h2\n',
    ]);
  });
});

test('top on a node that is no manager means a container of that node', async () => {
  at.daemon.behave = (request, response) => {
    if (request.url === '/containers/box/top') answer(response, 200, { Titles: ['PID'], Processes: [['11']] });
    else answer(response, 503, { message: 'This node is not a swarm manager.' });
  };
  const { code, out } = await startCli(at.daemon, ['top', 'box']).ran;
  expect([code, out.replace(/ {2,}/g, '|')]).toEqual([0, 'TASK|NODE|PID\nbox|11\n']);
});

describe('stats', () => {
  const sample = (memory: number): object => ({
    memory_stats: { usage: memory, limit: 4096 },
    pids_stats: { current: 2 },
  });

  test('once shows a line for each task', async () => {
    at.daemon.behave = (request, response) => {
      const [, id] = /^\/containers\/web\.\d\.(\w+)\/stats\?stream=false$/.exec(request.url ?? '') ?? [];
      if (id === undefined) serveWeb(request, response);
      else answer(response, 200, sample(id === 'first' ? 1024 : 2048));
    };
    const { code, out } = await startCli(at.daemon, [
      'stats',
      '--no-stream',
      '--format',
      '{{.Task}} {{.Node}} {{.MemUsage}} {{.PIDs}}',
    ]).ran;
    expect([code, out]).toEqual([0, 'web.1 h1 1KiB / 4KiB 2\nweb.2 h2 2KiB / 4KiB 2\n']);
  });

  test.each(['web.2', 'web.h2.x', 'nothing'])('of %s alone: only a task that is there', async (operand) => {
    at.daemon.behave = (request, response) => {
      if ((request.url ?? '').startsWith('/containers/')) answer(response, 200, sample(1024));
      else serveWeb(request, response);
    };
    const { code, out, err } = await startCli(at.daemon, ['stats', '--no-stream', '--format', '{{.Task}}', operand])
      .ran;
    expect([code, out, err]).toEqual(
      operand === 'web.2' ? [0, 'web.2\n', ''] : [1, '', `no such service or running task: ${operand}\n`],
    );
  });

  test.each(['web', 'web.2'])('of %s says so when no manager can be asked', async (operand) => {
    at.daemon.behave = (_request, response) => {
      answer(response, 503, { message: 'This node is not a swarm manager.' });
    };
    const ask = () => startCli(at.daemon, ['stats', '--no-stream', operand]).ran;
    const refused = { code: 1, out: '', err: 'Error response from daemon: This node is not a swarm manager.\n' };
    expect(await ask()).toEqual(refused);
    await at.daemon.stop();
    expect((await ask()).err).toMatch(/^Cannot connect to the bale daemon at /);
  });
});
