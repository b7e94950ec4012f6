import { expect, test } from 'vitest';
import { credentialSources } from '../../../../proto/registry/docker-config.js';

const auth = Buffer.from('u:p').toString('base64');
const login = { username: 'u', password: 'p' };
const sources = (config: unknown, registry: string) => credentialSources(JSON.stringify(config), registry);

test.each([
  ['by its host', { auths: { 'reg:5000': { auth } } }, 'reg:5000', { inline: login }],
  ['by an old URL', { auths: { 'https://reg:5000/v1/': { auth } } }, 'reg:5000', { inline: login }],
  ['of Docker Hub', { auths: { 'https://index.docker.io/v1/': { auth } } }, 'docker.io', { inline: login }],
  ['of another registry', { auths: { 'reg:5000': { auth } } }, 'reg', {}],
  ['in a store', { credsStore: 'pass' }, 'reg', { helper: { name: 'pass', server: 'reg' } }],
  [
    'in a store of its own',
    { credsStore: 'pass', credHelpers: { reg: 'ecr-login' } },
    'reg',
    { helper: { name: 'ecr-login', server: 'reg' } },
  ],
  ['nowhere', { auths: { reg: {} } }, 'reg', {}],
  ['in a document of another shape', [1], 'reg', {}],
])('credentials %s', (_where, config, registry, wanted) => {
  expect(sources(config, registry)).toEqual(wanted);
});

test.each(['../evil', 'a/b', '', '-x', 'a b'])('%j is no helper', (name) => {
  expect(sources({ credHelpers: { reg: name } }, 'reg')).toEqual({});
});
