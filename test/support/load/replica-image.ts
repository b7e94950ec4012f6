import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../run.js';
import { archiveOf, importImage } from '../test-image.js';

export const REPLICA_IMAGE = 'bale-replica:1';
/** Ports within the container. */
export const REPLICA_PORT = { http: 8080, tcp: 9000 } as const;

/** Tests and measurements run in the repository's root. */
const SOURCE = join('test', 'support', 'load', 'replica.c');

let made: Promise<Buffer> | undefined;

/** Loads the image of the replica that the load asks into an Engine: one static program, compiled here. */
export async function importReplicaImage(engineSocket: string): Promise<void> {
  made ??= compileTree();
  await importImage(engineSocket, REPLICA_IMAGE, '/replica', await made);
}

async function compileTree(): Promise<Buffer> {
  const tree = await mkdtemp(join(tmpdir(), 'bale-replica-'));
  try {
    await must('gcc', ['-O2', '-static', '-pthread', '-Wall', '-o', join(tree, 'replica'), SOURCE]);
    await chmod(tree, 0o755);
    return await archiveOf(tree);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
