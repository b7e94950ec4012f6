import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readJsonLines } from '../../../../agent/mesh/json-lines.js';

let writer: Socket;
let reader: Socket;

beforeEach(async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  writer = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  [reader] = await accepted;
  server.close();
});

afterEach(() => {
  for (const socket of [writer, reader]) socket.destroy();
});

test('documents come whole and in order, however the bytes are cut', async () => {
  const documents: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    readJsonLines(reader, (document) => {
      if (documents.push(document) === 3) resolve();
    });
  });
  const bytes = Buffer.from('{"name":"grüße"}\n[1,2]\n"end"\n');
  for (const byte of bytes) writer.write(Buffer.of(byte));
  await done;
  expect(documents).toEqual([{ name: 'grüße' }, [1, 2], 'end']);
});

test.each([
  ['no JSON', 'hello\n'],
  ['too long', '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
])('a line that is %s ends the connection', async (_name, text) => {
  const failed = once(reader, 'error') as Promise<[Error]>;
  readJsonLines(reader, () => undefined, 32);
  writer.write(text);
  const [error] = await failed;
  expect(error.message).toMatch(/a line (is no JSON document|has more than 32 bytes)/);
});
