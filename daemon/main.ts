import { systemClock } from '../core/clock.js';
import { errorMessage } from '../core/errors.js';
import { createLogger, type Logger } from '../core/logger.js';
import { type Daemon, startDaemon } from './daemon.js';
import { nodeParts } from './node-parts.js';
import { type DaemonOptions, daemonHelp, parseDaemonOptions } from './options.js';
import { BALE_VERSION } from './version.js';

/** A daemon that takes longer to stop is not going to: what it holds ends with the process. */
const STOP_PATIENCE_MS = 4_500;

/**
 * `bale daemon`: runs until SIGTERM or SIGINT, then exits 0. Exits 2 for a wrong command line and 1
 * for everything else that ends it, with one line that says why on standard error.
 */
export async function runDaemon(argv: readonly string[]): Promise<void> {
  const options = readCommand(argv);
  if (options === undefined) return;
  const logger = createLogger(options.logLevel, { host: options.hostname });
  const end = new Ending(logger);
  process.on('uncaughtException', (error) => {
    end.now(error, 'unexpected error');
  });
  process.on('unhandledRejection', (error) => {
    end.now(error, 'unexpected error');
  });
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      logger.info({ signal: name }, 'stopping');
      end.orderly(0);
    });
  }
  process.on('SIGUSR2', () => {
    logger.info({ signal: 'SIGUSR2' }, 'asked for fresh mesh processes');
    end.daemon?.replaceMesh();
  });
  try {
    const daemon = await startDaemon(options, { parts: nodeParts, clock: systemClock, logger });
    end.holds(daemon);
    void daemon.failed.then((error) => {
      complain(error);
      logger.error({ err: errorMessage(error) }, 'this node cannot go on');
      end.orderly(1);
    });
  } catch (error) {
    complain(error);
    process.exit(1);
  }
}

/** The options to run with, or undefined when the command line asked for less, or was wrong. */
function readCommand(argv: readonly string[]): DaemonOptions | undefined {
  try {
    const command = parseDaemonOptions(argv, process.env);
    switch (command.kind) {
      case 'help':
        process.stdout.write(daemonHelp());
        return undefined;
      case 'version':
        process.stdout.write(`bale version ${BALE_VERSION}\n`);
        return undefined;
      case 'run':
        return command.options;
    }
  } catch (error) {
    complain(error);
    process.exitCode = 2;
    return undefined;
  }
}

function complain(error: unknown): void {
  process.stderr.write(`bale daemon: ${errorMessage(error)}\n`);
}

/** Ends the process once, in order when there is time for it. */
class Ending {
  readonly #logger: Logger;
  #daemon: Daemon | undefined;
  #status: number | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Undefined while it starts. */
  get daemon(): Daemon | undefined {
    return this.#daemon;
  }

  /** The daemon that must be closed first. A signal that came while it started is obeyed now. */
  holds(daemon: Daemon): void {
    this.#daemon = daemon;
    if (this.#status !== undefined) this.#close(daemon, this.#status);
  }

  orderly(status: number): void {
    if (this.#status !== undefined) return;
    this.#status = status;
    setTimeout(() => {
      this.#logger.warn({}, 'could not stop in order in time');
      process.exit(status);
    }, STOP_PATIENCE_MS);
    if (this.#daemon !== undefined) this.#close(this.#daemon, status);
  }

  now(error: unknown, what: string): void {
    this.#logger.error({ err: error instanceof Error ? error.stack : String(error) }, what);
    process.exit(1);
  }

  #close(daemon: Daemon, status: number): void {
    daemon.close().then(
      () => process.exit(status),
      (error: unknown) => {
        this.now(error, 'could not stop in order');
      },
    );
  }
}
