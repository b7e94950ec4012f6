import { BaleError } from '../core/errors.js';
import { isSignedFor } from '../core/x509.js';
import { startClusterServer } from '../proto/cluster-server.js';
import { createSwarmApi } from './api/create-swarm-api.js';
import { auditedStore } from './audit/audited-store.js';
import { CertificateAuthority } from './ca/certificate-authority.js';
import { createTaskContainers } from './containers/task-containers.js';
import { ClientAuthority, openClientKey } from './ca/client-authority.js';
import { Dispatcher } from './dispatcher/dispatcher.js';
import { startDrainLoop } from './drain/drain-loop.js';
import { Handshake } from './drain/handshake.js';
import { startEndpointController } from './endpoints/endpoint-controller.js';
import { createLogs } from './logs/create-logs.js';
import { EventHistory } from './events/event-history.js';
import type { Manager, ManagerOptions } from './manager-types.js';
import { meshProbe } from './node-health/probe.js';
import { startOrchestrator } from './orchestrator/orchestrator.js';
import { startReaper } from './orchestrator/reaper-loop.js';
import { startDependsLoop } from './depends/depends-loop.js';
import { startScheduleLoop } from './schedule/schedule-loop.js';
import { startScheduler } from './scheduler/scheduler-loop.js';
import { startVersionReaper } from './secrets/version-reaper.js';
import { payloadSource } from './secrets/payload-source.js';
import { Vault } from './secrets/vault.js';
import { readDataKey, readRootKey, stateDirectory } from './state-directory.js';
import { openLevelJournal } from './store/level-journal.js';
import { openStore } from './store/store.js';
import { StreamRequests } from './streams/stream-requests.js';
import { startUpdater } from './updater/updater-loop.js';
import type { Store } from './store/store-types.js';

/**
 * Starts a manager on its state directory: store, then what serves agents, then the control loops,
 * and the cluster port last, so that whoever gets in finds everything at work.
 *
 * Throws one error when it cannot: what the journal throws, BALE_CA_KEY_MISSING,
 * BALE_CA_KEY_UNREADABLE, BALE_DATA_KEY_MISSING, BALE_DATA_KEY_WRONG, BALE_STATE_FOREIGN, BALE_LISTEN_FAILED. Nothing is left running then.
 */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const parts = new Parts();
  try {
    return await compose(options, parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function compose(options: ManagerOptions, parts: Parts): Promise<Manager> {
  const { identity, clock } = options;
  const logger = options.logger.child({ component: 'manager' });
  const allowed = new Set(options.allow);
  const directory = stateDirectory(options.stateDir);
  const rootKey = await readRootKey(directory);
  const journal = await openLevelJournal(directory.journal);
  const store = parts.add(await openStore({ journal, clock, logger }));
  checkState(store, rootKey, options);
  const vault = new Vault(await readDataKey(directory, holdsPayloads(store)));
  checkVault(store, vault);
  await announce(store, options);

  const events = parts.add(new EventHistory(store, clock));
  const authority = new CertificateAuthority({ store, rootKey, clock, logger });
  const endpoints = parts.add(startEndpointController({ store, logger }));
  const payloadOf = payloadSource(store, vault, logger);
  const probe = meshProbe(identity);
  const dispatcher = parts.add(new Dispatcher({ store, endpoints, payloadOf, probe, clock, logger }));
  const nameOf = (nodeId: string): string => store.view.get('node', nodeId)?.description?.Hostname ?? nodeId;
  const streams = parts.add(new StreamRequests({ sessions: dispatcher, nameOf, clock }));
  const handshake = new Handshake({ endpoints, acks: () => dispatcher.meshAcks() });
  const onMeshReport = (listener: () => void): (() => void) => dispatcher.onMeshReport(listener);
  parts.add(startDrainLoop({ store, handshake, onMeshReport, clock, logger }));
  parts.add(startOrchestrator({ store, clock, logger }));
  parts.add(startScheduleLoop({ store, clock, logger }));
  parts.add(startDependsLoop({ store, clock, logger }));
  parts.add(startUpdater({ store, handshake, onMeshReport, clock, logger }));
  parts.add(startScheduler({ store, clock, logger, avoid: () => dispatcher.suspects(), allowed }));
  parts.add(startReaper({ store, clock, logger }));
  parts.add(startVersionReaper({ store, clock, logger }));
  const server = parts.add(
    await startClusterServer({
      listenAddr: options.listenAddr,
      identity,
      logger,
      handlers: {
        rootCertificate: () => authority.rootCertificate(),
        issueNodeCertificate: (request) => authority.issueNodeCertificate(request),
        renewNodeCertificate: (peer, csr) => authority.renewNodeCertificate(peer, csr),
        authorize: (peer) => {
          authority.authorize(peer);
        },
        session: (peer, stream) => {
          dispatcher.session(peer, stream);
        },
        leave: (peer) => dispatcher.leave(peer),
        stream: (peer, streamId, stream) => {
          streams.accept(peer, streamId, stream);
        },
      },
    }),
  );
  // Sessions end before the port does: that they end now says nothing about their nodes.
  parts.add({ close: () => dispatcher.close() });
  const ofApi = { identity, handshake, vault, allowed, clock, logger };
  logger.info({ addr: server.boundAddr, index: store.view.index }, 'manager started');
  return {
    api: createSwarmApi({ ...ofApi, store }),
    apiFor: (request) => createSwarmApi({ ...ofApi, store: auditedStore(store, request) }),
    streams,
    events,
    logs: createLogs({ store, streams, clock }),
    containers: parts.add(createTaskContainers(store)),
    clients: new ClientAuthority({ store, vault, clock, logger }),
    clientsFor: (request) => new ClientAuthority({ store: auditedStore(store, request), vault, clock, logger }),
    boundAddr: server.boundAddr,
    failed: store.failed,
    onCommit: (listener) =>
      store.watch(() => {
        listener();
      }),
    close: () => parts.close(),
  };
}

const holdsPayloads = ({ view }: Store): boolean =>
  view.count('secret') + view.count('config') > 0 ||
  view.all('service').some(({ registryAuth }) => registryAuth !== undefined) ||
  view.all('cluster').some(({ clientAccess }) => clientAccess !== undefined);

/** A key that does not fit is found now, not when a task needs its secret. */
function checkVault({ view }: Store, vault: Vault): void {
  for (const kind of ['secret', 'config'] as const) {
    const [row] = view.all(kind);
    if (row !== undefined) vault.open({ kind, id: row.id }, row.sealed);
  }
  for (const { id, clientAccess } of view.all('cluster')) {
    if (clientAccess !== undefined) openClientKey(vault, id, clientAccess);
  }
  const auth = view.all('service').find(({ registryAuth }) => registryAuth !== undefined)?.registryAuth?.[0];
  if (auth !== undefined) vault.open({ kind: 'registry-auth', id: auth.id }, auth.sealed);
}

/** What was started, to be closed in reverse order: nothing outlives what it stands on. */
class Parts {
  readonly #parts: { close(): Promise<void> }[] = [];
  #closing: Promise<void> | undefined;

  add<Part extends { close(): Promise<void> }>(part: Part): Part {
    this.#parts.push(part);
    return part;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes all, also when one fails. */
  async #close(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#parts.reverse()) {
      await part.close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** The directory, the key and the identity must be of one cluster. */
function checkState(store: Store, rootKey: string, { identity, stateDir }: ManagerOptions): void {
  const cluster = store.view.all('cluster')[0];
  const { clusterId, nodeId } = identity.current;
  const foreign = (what: string): BaleError =>
    new BaleError(`the state in ${stateDir} is not that of this manager: ${what}; restore the whole data directory`, {
      kind: 'failed-precondition',
      code: 'BALE_STATE_FOREIGN',
    });
  if (cluster === undefined) throw foreign('it holds no cluster');
  if (cluster.id !== clusterId)
    throw foreign(`it is of cluster ${cluster.id}, the identity is of cluster ${clusterId}`);
  if (store.view.get('node', nodeId) === undefined) throw foreign(`it does not know node ${nodeId}`);
  if (!isKeyOf(cluster.rootCertificate, rootKey)) {
    throw foreign("the key of its certificate authority does not fit the cluster's root");
  }
}

function isKeyOf(root: string, key: string): boolean {
  try {
    return isSignedFor(root, root, key);
  } catch {
    // A file that is no key at all fits no certificate.
    return false;
  }
}

/** Members are told the present address of this manager. */
async function announce(store: Store, { identity, advertiseAddr }: ManagerOptions): Promise<void> {
  await store.update((tx) => {
    const node = tx.get('node', identity.current.nodeId);
    if (node !== undefined) tx.put('node', { ...node, managerAddr: advertiseAddr });
  });
}
