import { mkdir } from 'node:fs/promises';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { ClusterApi } from './cluster-api.js';
import type { NodeParts } from './cluster-node.js';
import { openDataDirectory } from './data-directory.js';
import { EngineClient } from './engine-client.js';
import { EngineFactsSource } from './engine-facts.js';
import { lockDirectory } from './file-lock.js';
import { createFront } from './front.js';
import { Membership } from './membership.js';
import type { DaemonOptions } from './options.js';
import { listenOnSocket } from './socket-file.js';

export interface DaemonParts {
  readonly parts: NodeParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Daemon {
  /** Resolves when the daemon cannot go on; the caller closes it and ends with that error. */
  readonly failed: Promise<Error>;
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
    await mkdir(options.runDir, { recursive: true, mode: 0o755 });
    const runLock = await lockDirectory(options.runDir, '--run-dir');
    release.push(() => runLock.release());

    const membership = new Membership({ options, data, parts, clock, logger });
    const engine = new EngineClient(options.engineSocket);
    const facts = new EngineFactsSource(engine);
    let api: Promise<ClusterApi> | undefined;
    const front = createFront({
      engineSocket: options.engineSocket,
      facts,
      swarmState: () => membership.headerState,
      api: async () => {
        api ??= import('./cluster-api.js').then(({ createClusterApi }) =>
          createClusterApi({ membership, engine, logger }),
        );
        return (await api).handle;
      },
      logger,
    });
    release.push(async () => {
      await front.close();
      await (await api)?.close();
    });
    await membership.load();
    await listenOnSocket(front.server, options.socket);
    membership.resume();
    logger.info({ socket: options.socket, dataDir: options.dataDir }, 'listening');
    void facts.refresh();
    release.push(() => membership.close());
    return { failed: membership.failed, close: releaseAll };
  } catch (error) {
    await releaseAll();
    throw error;
  }
}
