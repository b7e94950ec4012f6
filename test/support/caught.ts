import { BaleError } from '../../core/errors.js';

/** The BaleError that `body` throws, as plain data. Anything else it throws passes through. */
export function caught(body: () => unknown): { kind: string; code: string; message: string } | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    return plain(error);
  }
}

/** The same of a promise. */
export const caughtAsync = (work: Promise<unknown>): Promise<ReturnType<typeof caught>> =>
  work.then(() => undefined, plain);

function plain(error: unknown): { kind: string; code: string; message: string } {
  if (!(error instanceof BaleError)) throw error;
  return { kind: error.kind, code: error.code, message: error.message };
}
