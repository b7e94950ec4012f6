import { BaleError } from '../../core/errors.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { ApiClient, Query } from '../client.js';
import { holdInterrupt, type Context } from '../context.js';
import { waitForService } from '../view/progress.js';
import { withFiles } from './file-references.js';
import { registryAuthHeader, withDigest } from './image-digest.js';
import { patchService } from './patch-service.js';
import type { UpdateFlags } from './update-flags.js';

export interface WaitFlags {
  readonly detach?: boolean;
  readonly quiet?: boolean;
}

/** `service update`: reads the spec, patches it, writes it, and shows the rollout. */
export async function updateService(
  context: Context,
  name: string,
  flags: UpdateFlags & WaitFlags & { readonly rollback?: boolean },
): Promise<void> {
  if (flags.rollback === true) {
    refuseOthers(flags);
    await rollbackService(context, name, flags);
    return;
  }
  if (flags.withRegistryAuth === true && flags.registryAuth === false) {
    throw new BaleError('--with-registry-auth gives credentials and --no-registry-auth takes them away: use one', {
      kind: 'invalid',
      code: 'BALE_FLAG_INVALID',
    });
  }
  const query =
    flags.withRegistryAuth === true ? {} : { registryAuthFrom: flags.registryAuth === false ? 'none' : 'spec' };
  await changeService(context, name, flags, { ...query, queryRegistry: false }, async (spec, client) => {
    const patched = await withFiles(client, patchService(spec, flags, context.env), flags);
    const headers = await registryAuthHeader(patched.TaskTemplate.ContainerSpec.Image, flags, context);
    if (flags.image === undefined) return { spec: patched, headers };
    return { ...(await withDigest(context, client, patched, flags, headers)), headers };
  });
}

/** `service rollback`, and `service update --rollback`. */
export async function rollbackService(context: Context, name: string, flags: WaitFlags): Promise<void> {
  await changeService(context, name, flags, { rollback: 'previous' }, (spec) => ({ spec }));
}

/** `service rollback --to`: any spec that the daemon still has. */
export async function rollbackServiceTo(
  context: Context,
  name: string,
  version: number,
  flags: WaitFlags,
): Promise<void> {
  const client = await context.connect();
  holdInterrupt(context);
  await client.post(`/bale/services/${encodeURIComponent(name)}/rollback`, undefined, { to: version });
  context.print(`${name}\n`);
  if (flags.detach !== true) await waitForService(context, client, name, { quiet: flags.quiet === true });
}

/** `service restart`: replaces every task, nothing else. */
export async function restartService(context: Context, name: string, flags: WaitFlags): Promise<void> {
  await changeService(context, name, flags, { queryRegistry: false }, (spec) => ({
    spec: patchService(spec, { force: true }, {}),
  }));
}

/** The present document, as it was written: defaults filled in here would become explicit. */
export const readService = (client: ApiClient, name: string): Promise<ServiceDocument> =>
  client.get<ServiceDocument>(`/services/${encodeURIComponent(name)}`, { insertDefaults: false });

interface Changed {
  readonly spec: ServiceSpec;
  readonly headers?: Readonly<Record<string, string>>;
  /** Lines for the user, once it is written. */
  readonly warning?: string;
}

async function changeService(
  context: Context,
  name: string,
  flags: WaitFlags,
  query: Query,
  change: (spec: ServiceSpec, client: ApiClient) => Changed | Promise<Changed>,
): Promise<void> {
  const client = await context.connect();
  const service = await readService(client, name);
  const { spec, headers = {}, warning: unresolved = '' } = await change(service.Spec, client);
  holdInterrupt(context);
  const answer = await client.post<{ Warnings?: string[] | null }>(
    `/services/${service.ID}/update`,
    spec,
    { ...query, version: service.Version.Index },
    { headers },
  );
  context.warn(unresolved);
  for (const warning of answer.Warnings ?? []) context.warn(`${warning}\n`);
  context.print(`${name}\n`);
  if (flags.detach !== true) await waitForService(context, client, name, { quiet: flags.quiet === true });
}

function refuseOthers(flags: UpdateFlags): void {
  const others = Object.entries(flags).filter(
    // commander sets `healthcheck` unless `--no-healthcheck` is given, and likewise the others.
    ([name, value]) =>
      !['rollback', 'detach', 'quiet'].includes(name) &&
      !(['healthcheck', 'resolveImage', 'registryAuth'].includes(name) && value === true),
  );
  if (others.length === 0) return;
  throw new BaleError('other flags may not be combined with --rollback', {
    kind: 'invalid',
    code: 'BALE_FLAG_INVALID',
  });
}
