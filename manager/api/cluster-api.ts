import type { Logger } from '../../core/logger.js';
import { FieldRefused } from '../../proto/engine/decode.js';
import type { TLSInfo } from '../../proto/engine/node-document.js';
import type { SwarmDocument } from '../../proto/engine/swarm-document.js';
import { makeJoinToken, newJoinSecret } from '../../proto/join-token.js';
import type { Store } from '../store/store-types.js';
import { outOfSequence, parseVersion } from './api-errors.js';
import { clusterOf } from './cluster-of.js';
import { clusterDocument } from './swarm-document.js';
import type { SwarmApi } from './swarm-api.js';

/** `/swarm` and the cluster's part of `/info`. */
export class ClusterApi implements Pick<SwarmApi, 'info' | 'swarm' | 'updateSwarm'> {
  readonly #store: Store;
  readonly #trust: () => TLSInfo;
  readonly #logger: Logger;

  constructor(store: Store, trust: () => TLSInfo, logger: Logger) {
    this.#store = store;
    this.#trust = trust;
    this.#logger = logger;
  }

  info(): ReturnType<SwarmApi['info']> {
    const { view } = this.#store;
    const managers = view.all('node').filter((node) => node.spec.Role === 'manager');
    return {
      Nodes: view.count('node'),
      Managers: managers.length,
      Cluster: clusterDocument(clusterOf(view), this.#trust()),
      RemoteManagers: managers.flatMap(({ id, managerAddr }) =>
        managerAddr === undefined ? [] : [{ NodeID: id, Addr: managerAddr }],
      ),
    };
  }

  swarm(): SwarmDocument {
    const cluster = clusterOf(this.#store.view);
    const { rootCertificate, joinSecrets } = cluster;
    return {
      ...clusterDocument(cluster, this.#trust()),
      JoinTokens: {
        Worker: makeJoinToken(rootCertificate, joinSecrets.worker),
        Manager: makeJoinToken(rootCertificate, joinSecrets.manager),
      },
    };
  }

  async updateSwarm(
    version: string | undefined,
    body: unknown,
    rotate: { readonly worker: boolean; readonly manager: boolean; readonly unlockKey: boolean },
  ): Promise<void> {
    const index = parseVersion('swarm', version);
    // Loaded at the first use: the validation library is dear, and a manager shall start fast.
    const { decodeSwarmSpec } = await import('../../proto/engine/swarm-spec-shape.js');
    const spec = decodeSwarmSpec(body);
    if (rotate.unlockKey) {
      throw new FieldRefused('rotateManagerUnlockKey', "a manager's state is not encrypted at rest in this version");
    }
    await this.#store.update((tx) => {
      const cluster = clusterOf(tx);
      if (cluster.version !== index) throw outOfSequence();
      const { worker, manager } = cluster.joinSecrets;
      // The spec is a new object even when it says the same: its version moves, so that of two
      // clients that rotate at once the second one is told.
      tx.put('cluster', {
        ...cluster,
        spec,
        joinSecrets: {
          worker: rotate.worker ? newJoinSecret() : worker,
          manager: rotate.manager ? newJoinSecret() : manager,
        },
      });
    });
    this.#logger.info({ rotated: { worker: rotate.worker, manager: rotate.manager } }, 'swarm updated');
  }
}
