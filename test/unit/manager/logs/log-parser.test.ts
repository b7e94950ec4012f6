import { describe, expect, test } from 'vitest';
import { FrameParser, TerminalParser, type LogParser } from '../../../../manager/logs/log-parser.js';

const TIME = '2026-01-01T00:00:00.000000001Z';

const frame = (kind: number, text: string): Buffer => {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};

function all(parser: LogParser): string[] {
  const lines: string[] = [];
  for (let message = parser.next(); message !== undefined; message = parser.next()) {
    lines.push(`${message.stream} ${message.timestamp} [${message.details}] ${message.line.toString()}`);
  }
  return lines;
}

describe('the log of a container without a terminal', () => {
  const bytes = Buffer.concat([
    frame(1, `${TIME}  hello world\n`),
    frame(2, `${TIME} a=1,b=x%20y  two  spaces\n`),
    frame(1, `${TIME}  \n`),
    frame(1, `${TIME}  no end`),
  ]);
  const EXPECTED = [
    `stdout ${TIME} [] hello world\n`,
    `stderr ${TIME} [a=1,b=x%20y]  two  spaces\n`,
    `stdout ${TIME} [] \n`,
    `stdout ${TIME} [] no end`,
  ];

  test('is taken apart', () => {
    const parser = new FrameParser();
    parser.push(bytes);
    expect(all(parser)).toEqual(EXPECTED);
  });

  test('is taken apart however its bytes come', () => {
    const parser = new FrameParser();
    const lines: string[] = [];
    for (const byte of bytes) {
      parser.push(Buffer.from([byte]));
      lines.push(...all(parser));
    }
    expect(lines).toEqual(EXPECTED);
  });

  test("ends with the Engine's own error", () => {
    const parser = new FrameParser();
    parser.push(Buffer.concat([frame(1, `${TIME}  x\n`), frame(3, 'Error grabbing logs: EOF\n')]));
    expect(parser.next()).toBeDefined();
    expect(() => parser.next()).toThrow('Error grabbing logs: EOF');
  });

  test.each([
    ['no time', frame(1, 'hello\n'), 'a line without a time'],
    ['no frame', Buffer.from('HTTP/1.1 200 OK\r\n'), 'a frame of'],
  ])('is refused when it is damaged: %s', (_what, damaged, message) => {
    const parser = new FrameParser();
    parser.push(damaged);
    expect(() => parser.next()).toThrow(message);
  });
});

describe('the log of a container with a terminal', () => {
  test('is a message a line, the last one without an end', () => {
    const parser = new TerminalParser();
    parser.push(Buffer.from(`${TIME}  one\r\n${TIME} a=1 two\r\n${TIME}  login: `));
    const lines = all(parser);
    expect(lines).toEqual([`stdout ${TIME} [] one\r\n`, `stdout ${TIME} [a=1] two\r\n`]);
    parser.end();
    expect(all(parser)).toEqual([`stdout ${TIME} [] login: `]);
  });

  test('has the pieces of a long line one by one, without the times between them', () => {
    const piece = 'x'.repeat(16 * 1024);
    const parser = new TerminalParser();
    parser.push(Buffer.from(`${TIME}  ${piece}${TIME}  rest\n${TIME}  next\n`));
    expect(all(parser)).toEqual([`stdout ${TIME} [] ${piece}`, `stdout ${TIME} [] rest\n`, `stdout ${TIME} [] next\n`]);
  });
});
