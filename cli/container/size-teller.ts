import type { TerminalSize } from './terminal.js';

const TRIES = 10;
const PAUSE_MS = 10;

/**
 * Tells sizes of a terminal one after the other, of those that wait the newest alone: two that are on their way at
 * once may arrive in the other order, and `stty cols 80 rows 24` makes two.
 */
export function sizeTeller(resize: (size: TerminalSize) => Promise<void>): (size: TerminalSize) => void {
  let next: TerminalSize | undefined;
  let isTelling = false;
  const tellAll = async (): Promise<void> => {
    isTelling = true;
    for (let size = next; size !== undefined; size = next) {
      next = undefined;
      await tell(resize, size);
    }
    isTelling = false;
  };
  return (size) => {
    next = size;
    if (!isTelling) void tellAll();
  };
}

/** A process that is only just starting has no terminal yet; docker tries as often. A size that is not taken is no failure. */
async function tell(resize: (size: TerminalSize) => Promise<void>, size: TerminalSize): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    try {
      await resize(size);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, tries * PAUSE_MS));
    }
  }
}
