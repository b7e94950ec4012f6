import type { Clock } from '../core/clock.js';
import { errorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Front } from './front.js';
import type { Membership } from './membership.js';
import type { DaemonOptions } from './options.js';
import type { RemoteAccess } from './remote-access.js';

/**
 * Opens the ports of `--host` while a manager runs on this node: its cluster is what says who is let in.
 * Nothing of it is loaded on a node that has no such option.
 */
export function serveRemotely({
  options,
  membership,
  front,
  clock,
  logger,
}: {
  readonly options: Pick<DaemonOptions, 'hosts' | 'tlsNames' | 'hostname'>;
  readonly membership: Membership;
  readonly front: Front;
  readonly clock: Clock;
  readonly logger: Logger;
}): void {
  if (options.hosts.length === 0) return;
  let access: RemoteAccess | undefined;
  logger.info({}, 'ports of --host open when this node is a manager');
  membership.watchManager(async (manager) => {
    try {
      await access?.close();
      access = undefined;
      if (manager === undefined) return;
      const { RemoteAccess } = await import('./remote-access.js');
      access = new RemoteAccess({
        hosts: options.hosts,
        names: [options.hostname, ...options.tlsNames],
        clients: manager.clients,
        serve: (socket, requester) => {
          front.serve(socket, requester);
        },
        clock,
        logger,
      });
      await access.start();
    } catch (error) {
      logger.error({ err: errorMessage(error) }, 'remote access failed');
    }
  });
}
