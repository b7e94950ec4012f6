import { BaleError, errorCode, errorMessage } from '../../core/errors.js';

/**
 * What went wrong with the journal in `directory`, as one error that says what to do.
 * `action` completes "could not be …". A BaleError, and an abort, pass through.
 */
export function journalError(error: unknown, directory: string, action: 'opened' | 'read' | 'written'): Error {
  const cause = rootCause(error);
  if (cause instanceof BaleError || errorCode(cause) === 'LEVEL_ABORTED') return cause;
  const code = errorCode(cause);
  const text = errorMessage(cause);
  if (code === 'LEVEL_LOCKED') {
    return new BaleError(
      `the journal in ${directory} is in use by another process; stop the other bale daemon, or give this one its own --data-dir`,
      { kind: 'unavailable', code: 'BALE_JOURNAL_LOCKED', cause },
    );
  }
  if (code === 'LEVEL_CORRUPTION') return journalCorrupt(directory, text, cause);
  if (code === 'ENOSPC' || code === 'EDQUOT' || /no space left|quota exceeded/i.test(text)) {
    return new BaleError(
      `the journal in ${directory} could not be ${action}: no space is left on its disk (${text}); free some and start the daemon again`,
      { kind: 'unavailable', code: 'BALE_JOURNAL_FULL', cause },
    );
  }
  return new BaleError(
    `the journal in ${directory} could not be ${action}: ${text}; check that the directory can be read and written by this user and that its disk is sound`,
    { kind: 'unavailable', code: 'BALE_JOURNAL_UNREADABLE', cause },
  );
}

export const journalCorrupt = (directory: string, what: string, cause?: unknown): BaleError =>
  new BaleError(
    `the journal in ${directory} is damaged: ${what}; restore the directory from a backup, or move it away to begin a new cluster`,
    { kind: 'internal', code: 'BALE_JOURNAL_CORRUPT', cause },
  );

export const journalTooNew = (directory: string, found: number, known: number): BaleError =>
  new BaleError(
    `the journal in ${directory} has format ${found}, written by a newer bale; this bale reads up to format ${known}. Start the newer version, nothing was changed`,
    { kind: 'failed-precondition', code: 'BALE_JOURNAL_TOO_NEW' },
  );

/** A mistake of the caller, not of the disk. */
export const journalMisused = (directory: string, index: number, last: number | undefined): BaleError =>
  new BaleError(
    last === undefined
      ? `the journal in ${directory} takes no append now: it is not loaded, is writing, failed or is closed`
      : `the journal in ${directory} is at ${last} and takes no append with index ${index}`,
    { kind: 'internal', code: 'BALE_JOURNAL_MISUSED' },
  );

/** `level` wraps the error of LevelDB: the innermost one says what happened. */
function rootCause(error: unknown): Error {
  let cause = error instanceof Error ? error : new Error(String(error));
  while (!(cause instanceof BaleError) && cause.cause instanceof Error) cause = cause.cause;
  return cause;
}
