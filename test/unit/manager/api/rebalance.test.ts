import { expect, test } from 'vitest';
import { caughtAsync } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';
import { openTestApi } from '../../../support/test-api.js';

test('only replicated services are rebalanced', async () => {
  const { api, store, write } = await openTestApi();
  const { ID } = await api.createService(serviceBody());
  expect(await api.rebalance('web')).toEqual({ moves: [] });
  await write((tx) => {
    const service = tx.get('service', ID);
    if (service !== undefined) tx.put('service', { ...service, spec: { ...service.spec, Mode: { Global: {} } } });
  });
  expect(await caughtAsync(api.rebalance('web'))).toEqual({
    kind: 'failed-precondition',
    code: 'BALE_REBALANCE_MODE',
    message: `rpc error: code = FailedPrecondition desc = service ${ID} is not replicated`,
  });
  await store.close();
});
