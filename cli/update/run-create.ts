import { BaleError } from '../../core/errors.js';
import { holdInterrupt, type Context } from '../context.js';
import { serviceSpec, type CreateFlags } from '../flags/service-spec.js';
import { waitForService } from '../view/progress.js';
import { withFiles, type FileFlags } from './file-references.js';
import { registryAuthHeader, withDigest, type ImageFlags } from './image-digest.js';
import type { WaitFlags } from './run-update.js';

export type CreateServiceFlags = CreateFlags & FileFlags & ImageFlags & WaitFlags;

/** `service create`: makes the spec, writes it, and shows how the tasks start. */
export async function createService(
  context: Context,
  image: string,
  command: readonly string[],
  flags: CreateServiceFlags,
): Promise<void> {
  const plain = await serviceSpec(image, command, flags, context.env);
  const client = await context.connect();
  const headers = await registryAuthHeader(image, flags, context);
  const complete = await withFiles(client, plain, flags);
  const { spec, warning: unresolved } = await withDigest(context, client, complete, flags, headers);
  holdInterrupt(context);
  const created = await client.post<{ ID?: string; Warnings?: string[] | null }>(
    '/services/create',
    spec,
    { queryRegistry: false },
    { headers },
  );
  if (created.ID === undefined) {
    throw new BaleError('the daemon answered without the id of the new service', {
      kind: 'internal',
      code: 'BALE_ANSWER_INVALID',
    });
  }
  context.warn(unresolved);
  for (const warning of created.Warnings ?? []) context.warn(`${warning}\n`);
  context.print(`${created.ID}\n`);
  if (flags.detach !== true) await waitForService(context, client, created.ID, { quiet: flags.quiet === true });
}
