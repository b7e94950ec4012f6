import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DaemonOnEngine, daemonOnEngine } from '../support/daemon-on-engine.js';
import { readAll, readUntil } from '../support/socket-client.js';

let house: DaemonOnEngine;
beforeEach(async () => {
  house = await daemonOnEngine();
});
afterEach(() => house.end());

const SWITCH =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

const attach = (path: string, extra = 'Content-Length: 0\r\n', body = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${extra}\r\n${body}`;

describe('an upgrade', () => {
  test('becomes one pipe, with the head of the Engine as it came', async () => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/v1.41/containers/x/attach?stream=1&stdin=1'));
    const { url, socket } = await arrived;
    expect(url).toBe('/v1.41/containers/x/attach?stream=1&stdin=1');
    socket.write(`${SWITCH}hello`);
    expect(await readUntil(client, 'hello')).toBe(`${SWITCH}hello`);
    client.write('typed');
    expect(String((await once(socket, 'data'))[0])).toBe('typed');
    client.destroy();
    await once(socket.resume(), 'end');
  });

  test('whose client ends its input still gets the output', async () => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/exec/x/start'));
    const { socket } = await arrived;
    socket.write(SWITCH);
    await readUntil(client, '\r\n\r\n');
    client.end('all of the input');
    expect((await readAll(socket)).toString()).toBe('all of the input');
    socket.end('all of the output');
    expect((await readAll(client)).toString()).toBe('all of the output');
  });

  test('whose output ends first still takes input', async () => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/exec/x/start'));
    const { socket } = await arrived;
    socket.end(`${SWITCH}done`);
    expect((await readAll(client)).toString()).toBe(`${SWITCH}done`);
    client.end('late input');
    expect((await readAll(socket)).toString()).toBe('late input');
  });

  test.each([
    ['of a known length', 'Content-Type: application/json\r\nContent-Length: 15\r\n', '{"Detach":false}'.slice(0, 15)],
    [
      'in chunks',
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n',
      'f\r\n{"Tty":false}  \r\n0\r\n\r\n',
    ],
  ])('with a body %s brings it, and the first input behind it', async (_name, headers, body) => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/exec/x/start', headers, `${body}input`));
    const { socket, head } = await arrived;
    let got = head.toString();
    while (!got.endsWith('input')) got += String((await once(socket, 'data'))[0]);
    expect(got).toBe(`${body}input`);
    client.destroy();
  });

  test('brings megabytes both ways', async () => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/session', 'Content-Length: 0\r\n').replace('Upgrade: tcp', 'Upgrade: h2c'));
    const { socket } = await arrived;
    socket.write(SWITCH);
    await readUntil(client, '\r\n\r\n');
    socket.pipe(socket);
    const sent = Buffer.alloc(8 * 1024 * 1024, 'x');
    const echoed = readAll(client);
    client.end(sent);
    expect((await echoed).equals(sent)).toBe(true);
  });

  test('that the Engine refuses gets its answer, whole, as the last one of its connection', async () => {
    const text = `{"message":"${'No such container: x '.repeat(50_000)}"}`;
    house.engine.upgrade = (_request, socket) => {
      socket.write(
        `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`,
      );
      socket.write(text);
    };
    const client = await house.client.connect();
    client.write(attach('/containers/x/attach'));
    const [head, body] = (await readAll(client)).toString().split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
    expect(head).toMatch(/Connection: close/);
    expect(body).toBe(text);
    client.destroy();
  });

  test('ends on both sides when the Engine goes away', async () => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/containers/x/attach'));
    const { socket } = await arrived;
    socket.write(SWITCH);
    await readUntil(client, '\r\n\r\n');
    const rest = readAll(client);
    await house.engine.stop();
    expect((await rest).length).toBe(0);
    client.destroy();
  });

  test('given up by its client before the answer ends at the Engine', async () => {
    const arrived = house.engine.nextUpgrade();
    const client = await house.client.connect();
    client.write(attach('/containers/x/attach'));
    const { socket } = await arrived;
    client.destroy();
    await once(socket.resume(), 'end');
  });

  test('to an Engine that is down is answered with the cause', async () => {
    await house.engine.stop();
    const client = await house.client.connect();
    client.write(attach('/containers/x/attach'));
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1.1 503 [^]*cannot reach the Docker Engine at unix:/);
    client.destroy();
  });

  test('offered to the cluster API is declined, and the request answered', async () => {
    const client = await house.client.connect();
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    client.write(`GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n${offer}\r\n`);
    const answer = (await readAll(client)).toString();
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
    expect(answer).toMatch(/"LocalNodeState":"inactive"/);
    client.destroy();
  });

  test('offered with a body to the cluster API loses none of it', async () => {
    const client = await house.client.connect();
    const headers = 'Content-Type: application/json\r\nContent-Length: 14\r\n';
    client.write(attach('/swarm/join', headers, '{"JoinToken":1'.slice(0, 14)));
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1.1 400 [^]*invalid JSON/);
    client.destroy();
  });
});
