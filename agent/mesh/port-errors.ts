import { whyNowhere } from '../publish-address.js';
import type { WantedPort } from './listener-plan.js';

/** Why a port is not served here, or not on all of its addresses. */
export interface ListenError {
  readonly publishedPort: number;
  readonly error: string;
  /** It asks for addresses that this node does not have, others may; nothing failed. */
  readonly notice?: true;
}

/** One for each port that is not served as it is wanted, of which the listeners are these. */
export function portErrors(
  wanted: readonly WantedPort[],
  listeners: readonly { readonly publishedPort: number; readonly error: string | undefined }[],
): readonly ListenError[] {
  const byPort = new Map<number, string[]>();
  for (const { publishedPort, error } of listeners) {
    const errors = byPort.get(publishedPort) ?? [];
    byPort.set(publishedPort, error === undefined ? errors : [...errors, error]);
  }
  return [
    ...[...byPort].flatMap(([publishedPort, errors]) =>
      errors.length === 0 ? [] : [{ publishedPort, error: errors.join('; ') }],
    ),
    ...wanted.flatMap(({ publishedPort, listenOn }) =>
      listenOn === undefined || byPort.has(publishedPort)
        ? []
        : [{ publishedPort, error: whyNowhere(listenOn), notice: true } as const],
    ),
  ];
}
