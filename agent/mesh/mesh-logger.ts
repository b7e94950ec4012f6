import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import type { Logger } from '../../core/logger.js';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
const SILENT = 100;

/** A log file of the mesh is emptied when it grows beyond this, bytes. */
const LARGEST_LOG = 4 * 1024 * 1024;
const STANDARD_ERROR = 2;

/**
 * The house's log lines (JSON, one a line, on standard error) without the weight of the daemon's
 * logger: a mesh process runs on every node. Where standard error is a file, the mesh alone bounds
 * its size, since it outlives whoever opened it.
 */
export function createMeshLogger(level: string, bindings: Record<string, unknown> = {}): Logger {
  const threshold = isLevel(level) ? LEVELS[level] : level === 'silent' ? SILENT : LEVELS.info;
  const log =
    (name: keyof typeof LEVELS): Logger['info'] =>
    (details: unknown, message?: unknown) => {
      if (LEVELS[name] < threshold) return;
      const fields = typeof details === 'object' ? details : {};
      const msg = typeof details === 'string' ? details : message;
      write(`${JSON.stringify({ level: LEVELS[name], time: Date.now(), ...bindings, ...fields, msg })}\n`);
    };
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (more) => createMeshLogger(level, { ...bindings, ...more }),
  };
}

const isLevel = (level: string): level is keyof typeof LEVELS => level in LEVELS;

function write(line: string): void {
  try {
    const status = fstatSync(STANDARD_ERROR);
    // The file is opened for appending, so the next line stands at its new beginning.
    if (status.isFile() && status.size > LARGEST_LOG) ftruncateSync(STANDARD_ERROR, 0);
    writeSync(STANDARD_ERROR, line);
  } catch {
    // Nowhere left to tell it: a full disk or a closed pipe must not stop the traffic.
  }
}
