import type { Clock } from '../core/clock.js';
import { BaleError, errorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ClusterApi } from './cluster-api.js';
import type { NodeParts } from './cluster-node.js';
import { openDataDirectory } from './data-directory.js';
import { EngineClient } from './engine-client.js';
import { EngineFactsSource } from './engine-facts.js';
import { type FileLock, lockDirectory } from './file-lock.js';
import { createFront } from './front.js';
import { Membership } from './membership.js';
import type { DaemonOptions } from './options.js';
import { makeDirectory } from './make-directory.js';
import { RemoteContainers } from './remote-containers.js';
import { serveRemotely } from './remote-hosts.js';
import { SharedEngineEvents } from './shared-engine-events.js';
import { listenOnSocket } from './socket-file.js';

export interface DaemonParts {
  readonly parts: NodeParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Daemon {
  /** Resolves when the daemon cannot go on; the caller closes it and ends with that error. */
  readonly failed: Promise<Error>;
  /** Puts fresh mesh processes in the place of those that run; nothing on a node that is in no cluster. */
  replaceMesh(): void;
  /** Says goodbye, closes the socket, lets go of the directories. Containers and mesh live on. */
  close(): Promise<void>;
}

/**
 * The composition root: one daemon of one node. It listens before a membership on disk is taken up,
 * so that requests meanwhile wait instead of failing.
 * Throws what makes a start impossible: directory or socket unusable or in use.
 */
export async function startDaemon(options: DaemonOptions, { parts, clock, logger }: DaemonParts): Promise<Daemon> {
  const data = await openDataDirectory(options.dataDir);
  const release: (() => Promise<void>)[] = [() => data.release()];
  const releaseAll = async (): Promise<void> => {
    for (const step of release.reverse()) await step();
  };
  try {
    const runLock = await takeRunDirectory(options.runDir);
    release.push(() => runLock.release());

    const membership = new Membership({ options, data, parts, clock, logger });
    const engine = new EngineClient(options.engineSocket);
    const facts = new EngineFactsSource(engine);
    const remote = new RemoteContainers(engine, options.engineSocket, () => membership.containers);
    let api: Promise<ClusterApi> | undefined;
    const front = createFront({
      engineSocket: options.engineSocket,
      engine,
      facts,
      swarmState: () => membership.headerState,
      api: async () => {
        api ??= import('./cluster-api.js').then(({ createClusterApi }) =>
          createClusterApi({ membership, engine, clock, logger }),
        );
        return (await api).handle;
      },
      remote: (request) => remote.callOf(request),
      events: () => membership.events,
      engineEvents: new SharedEngineEvents({ engineSocket: options.engineSocket, clock, logger }),
      clock,
      logger,
    });
    release.push(async () => {
      await front.close();
      await (await api)?.close();
    });
    serveRemotely({ options, membership, front, clock, logger });
    await membership.load();
    await listenOnSocket(front.server, options.socket);
    membership.resume();
    logger.info({ socket: options.socket, dataDir: options.dataDir }, 'listening');
    void facts.refresh();
    release.push(() => membership.close());
    return {
      failed: membership.failed,
      replaceMesh: () => {
        membership.replaceMesh();
      },
      close: releaseAll,
    };
  } catch (error) {
    await releaseAll();
    throw error;
  }
}

/** The mesh's socket lies there: two daemons in one run directory would fight over one mesh. */
async function takeRunDirectory(path: string): Promise<FileLock> {
  try {
    await makeDirectory(path, 0o755);
    return await lockDirectory(path, '--run-dir');
  } catch (error) {
    if (error instanceof BaleError) throw error;
    throw new BaleError(`--run-dir ${path} cannot be used: ${errorMessage(error)}`, {
      kind: 'failed-precondition',
      code: 'BALE_RUN_DIR_UNUSABLE',
      cause: error,
    });
  }
}
