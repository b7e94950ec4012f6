import { beforeEach, describe, expect, test } from 'vitest';
import type { ImageOptions } from '../../../../manager/api/image-options.js';
import { caughtAsync } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';
import { openTestApi, type TestApi } from '../../../support/test-api.js';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const SECRET = 'password-that-nobody-may-see';
const registryAuth = { username: 'u', password: SECRET };

let at: TestApi;
/** Images that the registry was asked for. */
let asked: string[];
/** What each tag leads to now; a tag that is not here cannot be looked up. */
let tags: Record<string, string>;

beforeEach(async () => {
  at = await openTestApi();
  asked = [];
  tags = {};
});

const resolving: ImageOptions = {
  resolveImage: (image) => {
    asked.push(image);
    const found = tags[image];
    return Promise.resolve(
      found === undefined ? { image, warning: `${image} is nowhere` } : { image: `${image}@${found}` },
    );
  },
};
const body = (Image: string, over: Record<string, unknown> = {}) =>
  serviceBody({ Name: 'web', TaskTemplate: { ContainerSpec: { Image } }, ...over });
const create = (Image: string, images: ImageOptions = resolving) => at.api.createService(body(Image), images);
const image = (): string => at.api.service('web', false).Spec.TaskTemplate.ContainerSpec.Image;
const version = (): number => at.api.service('web', false).Version.Index;
const update = (Image: string, images: ImageOptions = resolving, over: Record<string, unknown> = {}) =>
  at.api.updateService('web', String(version()), body(Image, over), { rollback: undefined, ...images });

describe('the digest of an image', () => {
  test('is written into the spec when the service is made', async () => {
    tags['app:1'] = digest('a');
    expect(await create('app:1')).not.toHaveProperty('Warnings');
    expect(image()).toBe(`app:1@${digest('a')}`);
  });

  test('that cannot be found is left out, with a warning', async () => {
    expect(await create('app:1')).toMatchObject({ Warnings: ['app:1 is nowhere'] });
    expect(image()).toBe('app:1');
    expect(await update('app:2')).toEqual({ Warnings: ['app:2 is nowhere'] });
  });

  test('that the client wrote is not looked up', async () => {
    await create(`app:1@${digest('c')}`);
    expect(asked).toEqual([]);
    expect(image()).toBe(`app:1@${digest('c')}`);
  });

  test('stays when the same spec is sent again, whatever became of the tag', async () => {
    tags['app:1'] = digest('a');
    await create('app:1');
    const before = version();
    tags['app:1'] = digest('b');
    expect(await update('app:1')).toEqual({ Warnings: null });
    expect(version()).toBe(before);
    await update('app:1', resolving, { Labels: { x: 'y' } });
    expect(image()).toBe(`app:1@${digest('a')}`);
    expect(asked).toEqual(['app:1']);
  });

  test('is looked up again with another tag, or on request', async () => {
    Object.assign(tags, { 'app:1': digest('a'), 'app:2': digest('b') });
    await create('app:1');
    await update('app:2');
    expect(image()).toBe(`app:2@${digest('b')}`);
    tags['app:2'] = digest('c');
    await update('app:2', { ...resolving, resolveAgain: true });
    expect(image()).toBe(`app:2@${digest('c')}`);
  });

  test('is not looked up for a client that did so itself: what it writes is what it wants', async () => {
    tags['app:1'] = digest('a');
    await create('app:1');
    await update('app:1', {});
    expect(image()).toBe('app:1');
  });
});

describe('registry credentials', () => {
  const row = () => at.store.view.serviceByName('web');

  test('are kept sealed, and never shown', async () => {
    await create('reg.test/app:1', { registryAuth });
    expect(row()?.registryAuth).toMatchObject([{ registry: 'reg.test' }]);
    const everything = JSON.stringify([
      at.store.view.all('service'),
      at.api.services({}, true),
      at.api.service('web', true),
    ]);
    expect(everything).not.toContain(SECRET);
    expect(everything).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 20));
  });

  test('stay without others, also when the spec does not change with them', async () => {
    await create('reg.test/app:1', { registryAuth });
    const [first] = row()?.registryAuth ?? [];
    await update('reg.test/app:2', { registryAuthFrom: 'spec' });
    expect(row()?.registryAuth).toEqual([first]);
    const before = version();
    await update('reg.test/app:2', { registryAuth: { username: 'u', password: 'new' } });
    expect(version()).toBe(before);
    expect(row()?.registryAuth).toHaveLength(1);
    expect(row()?.registryAuth).not.toEqual([first]);
  });

  test('of another registry stand beside them', async () => {
    await create('reg.test/app:1', { registryAuth });
    await update('other.test/app:1', { registryAuth });
    expect(row()?.registryAuth?.map(({ registry }) => registry)).toEqual(['reg.test', 'other.test']);
  });

  test('are all forgotten when asked to, without another change, and may be given anew', async () => {
    await create('reg.test/app:1', { registryAuth });
    await update('other.test/app:1', { registryAuth });
    const before = version();
    await update('other.test/app:1', { registryAuthFrom: 'none' });
    expect(row()).not.toHaveProperty('registryAuth');
    expect(version()).toBe(before);
    await update('other.test/app:1', { registryAuth });
    expect(row()?.registryAuth?.map(({ registry }) => registry)).toEqual(['other.test']);
  });

  test.each([
    ['previous-spec', 'service does not have a previous spec'],
    ['rubbish', 'unsupported registryAuthFrom value'],
  ])('from %s are refused as the Engine refuses them', async (registryAuthFrom, message) => {
    await create('reg.test/app:1', { registryAuth });
    expect(await caughtAsync(update('reg.test/app:1', { registryAuthFrom }))).toMatchObject({
      message: expect.stringContaining(message) as string,
    });
  });
});
