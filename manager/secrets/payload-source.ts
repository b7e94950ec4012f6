import { errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Payload, PayloadRef } from '../../proto/payload.js';
import type { Store } from '../store/store-types.js';
import { serviceOfRegistryAuth } from './registry-auth.js';
import type { Vault } from './vault.js';

/** The data of a secret or config, or registry credentials, in clear, for the session of a node that runs a task needing it; undefined when there is none. */
export type PayloadSource = (ref: PayloadRef) => Payload | undefined;

/** What cannot be opened is not there for the nodes; the log says why. */
export const payloadSource =
  (store: Pick<Store, 'view'>, vault: Pick<Vault, 'open'>, logger: Logger): PayloadSource =>
  ({ kind, id }) => {
    try {
      if (kind === 'registry-auth') return registryAuth(store, vault, id);
      const row = store.view.get(kind, id);
      if (row === undefined) return undefined;
      const data = vault.open({ kind, id }, row.sealed);
      return { kind, id, name: row.spec.Name, data, templated: row.spec.Templating !== undefined };
    } catch (error) {
      logger.error({ [kind]: id, err: errorMessage(error) }, 'data that a node needs cannot be opened');
      return undefined;
    }
  };

/** A task whose credentials were replaced meanwhile is given none: its successor has the new ones. */
function registryAuth(store: Pick<Store, 'view'>, vault: Pick<Vault, 'open'>, id: string): Payload | undefined {
  const service = store.view.get('service', serviceOfRegistryAuth(id));
  const row = service?.registryAuth?.find((one) => one.id === id);
  if (row === undefined) return undefined;
  const data = vault.open({ kind: 'registry-auth', id }, row.sealed);
  return { kind: 'registry-auth', id, name: row.registry, data, templated: false };
}
