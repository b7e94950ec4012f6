import { type Rule, invalid, STALE } from './rule.js';
const DATA = Buffer.from('data').toString('base64');
const bytes = (size: number): string => Buffer.alloc(size, 'x').toString('base64');
const NAME =
  'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]';

/** The same for secrets and configs. */
const payloads = ([nouns, noun, name, limit]: readonly [string, string, string, number]): readonly Rule[] => [
  {
    section: '1.3',
    rule: `${noun}: a name is required`,
    request: `POST /${nouns}/create`,
    body: { Data: DATA },
    engine: invalid('name must be provided'),
  },
  {
    section: '1.3',
    rule: `${noun}: a name has at most 64 characters`,
    request: `POST /${nouns}/create`,
    body: { Name: 'a'.repeat(65), Data: DATA },
    engine: invalid(NAME),
  },
  {
    section: '1.3',
    rule: `${noun}: a name has known characters`,
    request: `POST /${nouns}/create`,
    body: { Name: 'a/b', Data: DATA },
    engine: invalid(NAME),
  },
  {
    section: '1.3',
    rule: `${noun}: a name begins with a letter or digit`,
    request: `POST /${nouns}/create`,
    body: { Name: '.a', Data: DATA },
    engine: invalid(NAME),
  },
  {
    section: '1.3',
    rule: `${noun}: a name ends with a letter or digit`,
    request: `POST /${nouns}/create`,
    body: { Name: 'a-', Data: DATA },
    engine: invalid(NAME),
  },
  {
    section: '1.9',
    rule: `${noun}: there is data`,
    request: `POST /${nouns}/create`,
    body: { Name: 'empty' },
    engine: invalid(`${noun} data must be larger than 0 and less than ${limit} bytes`),
  },
  {
    section: '1.9',
    rule: `${noun}: data is less than the limit`,
    request: `POST /${nouns}/create`,
    body: { Name: 'large', Data: bytes(limit) },
    engine: invalid(`${noun} data must be larger than 0 and less than ${limit} bytes`),
  },
  {
    section: '1.9',
    rule: `${noun}: data just below the limit`,
    request: `POST /${nouns}/create`,
    body: { Name: 'full', Data: bytes(limit - 1) },
    engine: { status: 201, message: '' },
  },
  {
    section: '1.9',
    rule: `${noun}: a name is taken once`,
    request: `POST /${nouns}/create`,
    body: { Name: name, Data: DATA },
    engine: { status: 409, message: `rpc error: code = AlreadyExists desc = ${noun} ${name} already exists` },
  },
  {
    section: '1.9',
    rule: `${noun}: an update changes labels, not data`,
    request: `POST /${nouns}/{${nouns}/${name}}/update?version={${nouns}/${name}@}`,
    body: { Name: name, Data: bytes(3) },
    engine: invalid('only updates to Labels are allowed'),
  },
  {
    section: '1.9',
    rule: `${noun}: an update changes labels, not the name`,
    request: `POST /${nouns}/{${nouns}/${name}}/update?version={${nouns}/${name}@}`,
    body: { Name: 'other' },
    engine: invalid('only updates to Labels are allowed'),
  },
  {
    section: '1.9',
    rule: `${noun}: what is in use is not removed`,
    request: `DELETE /${nouns}/${name}`,
    engine: invalid(`${noun} '${name}' is in use by the following service: web`),
  },
  {
    section: '1.10',
    rule: `${noun}: a stale version loses`,
    request: `POST /${nouns}/{${nouns}/${name}}/update?version=0`,
    body: { Name: name },
    engine: STALE,
  },
  {
    section: '1.10',
    rule: `${noun}: an update names a version`,
    request: `POST /${nouns}/{${nouns}/${name}}/update`,
    body: { Name: name },
    engine: { status: 400, message: `invalid ${noun} version` },
  },
  {
    section: '1.10',
    rule: `${noun}: none of that name or id`,
    request: `GET /${nouns}/nosuch`,
    engine: { status: 404, message: `${noun} nosuch not found` },
  },
  {
    section: '1.10',
    rule: `${noun}: none to update`,
    request: `POST /${nouns}/nosuch/update?version=1`,
    body: { Name: 'nosuch' },
    engine: { status: 404, message: `${noun} nosuch not found` },
  },
  {
    section: '1.10',
    rule: `${noun}: none to remove`,
    request: `DELETE /${nouns}/nosuch`,
    engine: { status: 404, message: `${noun} nosuch not found` },
  },
];

export const PAYLOAD_RULES: readonly Rule[] = [
  ...payloads(['secrets', 'secret', 'key', 512_000]),
  ...payloads(['configs', 'config', 'conf', 1_024_000]),
];
