import { expect, it } from 'vitest';
import { checkProtocolVersion, PROTOCOL_VERSION } from '../../../proto/protocol-version.js';

it('a peer of another protocol version is refused with both versions named', () => {
  expect(() => {
    checkProtocolVersion(PROTOCOL_VERSION, 'node n1');
  }).not.toThrow();
  expect(() => {
    checkProtocolVersion(99, 'node n1');
  }).toThrow(`node n1 speaks protocol version 99, this side speaks ${PROTOCOL_VERSION}`);
});
