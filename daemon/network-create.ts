import type { IncomingMessage } from 'node:http';
import { BODY_LIMIT, bodyTooLarge } from './json-body.js';
import { notImplemented } from './refusals.js';

/** Reads a request body whole, up to BODY_LIMIT. Throws BALE_BODY_TOO_LARGE. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not by `for await`, which would cut the connection before the refusal is told.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > BODY_LIMIT) {
        request.pause();
        reject(bodyTooLarge());
      } else chunks.push(chunk);
    });
    request.on('end', resolve);
    request.on('error', reject);
  });
  return Buffer.concat(chunks);
}

/**
 * Refuses a network of the cluster (driver overlay); all others are the Engine's. A body that is no
 * JSON is the Engine's to refuse.
 */
export function refuseOverlay(body: Buffer): void {
  if (driverOf(body) === 'overlay') throw notImplemented('overlay networks are');
}

function driverOf(body: Buffer): unknown {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    // Names in any letter case, as Go reads them.
    return Object.entries(parsed ?? {}).find(([name]) => name.toLowerCase() === 'driver')?.[1];
  } catch {
    return undefined;
  }
}
