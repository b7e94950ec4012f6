import type { Clock } from '../../core/clock.js';
import type { IdentitySource } from '../../core/identity.js';
import type { Logger } from '../../core/logger.js';
import { issuerInfo } from '../../core/x509.js';
import type { HostPower } from '../../proto/engine/host-options.js';
import type { TLSInfo } from '../../proto/engine/node-document.js';
import type { Handshake } from '../drain/handshake.js';
import type { Vault } from '../secrets/vault.js';
import type { TaskObject } from '../store/objects.js';
import { describeWaits } from '../updater/waits.js';
import type { Store } from '../store/store-types.js';
import { readAudit } from './audit-api.js';
import { ClusterApi } from './cluster-api.js';
import { clusterOf } from './cluster-of.js';
import { NodeApi } from './node-api.js';
import { PayloadApi } from './payload-api.js';
import { runJob, showSchedule } from './schedule-api.js';
import { rebalanceService } from './service-rebalance.js';
import { ServiceApi } from './service-api.js';
import type { SwarmApi } from './swarm-api.js';
import { TaskApi } from './task-api.js';

export interface SwarmApiOptions {
  readonly store: Store;
  /** Of this manager: the node that is shown as leader. */
  readonly identity: IdentitySource;
  /** Says what tasks wait for. */
  readonly handshake: Pick<Handshake, 'drain' | 'activation'>;
  /** Seals secrets and configs. */
  readonly vault: Vault;
  /** Power over nodes that services may give to their containers. */
  readonly allowed: ReadonlySet<HostPower>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The Engine API's swarm verbs over the store of this manager. */
export function createSwarmApi(options: SwarmApiOptions): SwarmApi {
  const { store, identity, handshake, vault, allowed, clock, logger } = options;
  const trust = memoizedTrust(() => clusterOf(store.view).rootCertificate);
  const drainReason = (task: TaskObject): string => handshake.drain(task, store.view, clock.now()).reason;
  const cluster = new ClusterApi(store, trust, logger);
  const nodes = new NodeApi(store, identity, trust, logger);
  const services = new ServiceApi(
    store,
    (service) =>
      describeWaits({
        service,
        tasks: store.view.tasksByService(service.id),
        nodeOf: (id) => store.view.get('node', id),
        activation: (task) => handshake.activation(task, store.view, clock.now()),
        drainReason,
      }),
    vault,
    allowed,
    logger,
  );
  const tasks = new TaskApi(store, drainReason);
  return {
    info: () => cluster.info(),
    swarm: () => cluster.swarm(),
    updateSwarm: (version, body, rotate) => cluster.updateSwarm(version, body, rotate),
    nodes: (filters) => nodes.nodes(filters),
    node: (id) => nodes.node(id),
    updateNode: (id, version, body) => nodes.updateNode(id, version, body),
    removeNode: (id, force) => nodes.removeNode(id, force),
    drainNode: (id, version, request) => nodes.drainNode(id, version, request),
    createService: (body, images) => services.createService(body, images),
    services: (filters, status) => services.services(filters, status),
    serviceList: (filters, status) => services.serviceList(filters, status),
    service: (id, insertDefaults) => services.service(id, insertDefaults),
    updateService: (id, version, body, options) => services.updateService(id, version, body, options),
    history: (id) => services.history(id),
    rollBackTo: (id, version) => services.rollBackTo(id, version),
    rebalance: (id) => rebalanceService(store, logger, id),
    schedule: (id) => showSchedule(store, id),
    runJob: (id) => runJob(store, logger, id),
    removeService: (id) => services.removeService(id),
    secrets: new PayloadApi('secret', store, vault, allowed, logger),
    configs: new PayloadApi('config', store, vault, allowed, logger),
    tasks: (filters) => tasks.tasks(filters),
    taskList: (filters) => tasks.taskList(filters),
    task: (id) => tasks.task(id),
    audit: (query) => readAudit(store.view, query),
  };
}

/** Reading a certificate costs more than a request: it is read again only when it is another. */
function memoizedTrust(rootCertificate: () => string): () => TLSInfo {
  let known: TLSInfo | undefined;
  return () => {
    const root = rootCertificate();
    if (known?.TrustRoot !== root) known = issuerInfo(root);
    return known;
  };
}
