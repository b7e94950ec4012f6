import { errorMessage } from '../../core/errors.js';
import { digestOf, pinned, registryOf, taggedName } from '../../proto/engine/image-name.js';
import { isImageReference } from '../../proto/engine/image-reference.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { Platform } from '../../proto/engine/task-spec.js';
import { encodeAuthHeader, type AuthConfig } from '../../proto/registry/auth-config.js';
import { dockerConfigCredentials } from '../../proto/registry/registry-credentials.js';
import type { ApiClient } from '../client.js';
import type { Context } from '../context.js';

/** The longest wait for a registry, ms: a service must not wait for one that is away. */
const PATIENCE = 5_000;

export interface ImageFlags {
  readonly withRegistryAuth?: boolean;
  /** false with `--no-resolve-image`. */
  readonly resolveImage?: boolean;
  /** Of an update; false with `--no-registry-auth`. */
  readonly registryAuth?: boolean;
}

type Headers = Readonly<Record<string, string>>;

/** The header with the credentials that this user has for the registry of an image; none without `--with-registry-auth`. */
export async function registryAuthHeader(image: string, flags: ImageFlags, context: Context): Promise<Headers> {
  if (flags.withRegistryAuth !== true) return {};
  const auth: AuthConfig = (await dockerConfigCredentials(context.env)(registryOf(image), context.signal)) ?? {};
  return { 'X-Registry-Auth': encodeAuthHeader(auth) };
}

export interface DigestLookup {
  readonly spec: ServiceSpec;
  /** Lines for the user, once the service is written. */
  readonly warning: string;
}

/**
 * The spec with the digest that the image's tag has now, and the platforms that the image is for, as
 * docker's CLI writes them. When the registry does not tell, the spec stays and the user is to be warned.
 */
export async function withDigest(
  { signal }: Context,
  client: ApiClient,
  spec: ServiceSpec,
  flags: ImageFlags,
  headers: Headers,
): Promise<DigestLookup> {
  const { Image } = spec.TaskTemplate.ContainerSpec;
  if (digestOf(Image) !== undefined || !isImageReference(Image)) return { spec, warning: '' };
  const tagged = withImage(spec, taggedName(Image));
  if (flags.resolveImage === false) return { spec: tagged, warning: '' };
  if (await isLocal(client, Image)) return { spec: tagged, warning: neverInRegistry(Image) };
  try {
    const bound = { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) };
    const found = await client.get<Distribution>(`/distribution/${Image}/json`, {}, bound);
    const pinnedSpec = withImage(spec, pinned(Image, found.Descriptor.digest));
    return { spec: withPlatforms(pinnedSpec, found.Platforms ?? []), warning: '' };
  } catch (error) {
    signal.throwIfAborted();
    return { spec: tagged, warning: `${notResolved(Image)}\n(${errorMessage(error)})\n` };
  }
}

interface Distribution {
  readonly Descriptor: { readonly digest: string };
  readonly Platforms?: readonly { readonly architecture?: string; readonly os?: string }[] | null;
}

/** One that the Engine has and that no registry ever had: nobody could be asked, and nobody is waited for. */
async function isLocal(client: ApiClient, image: string): Promise<boolean> {
  try {
    const { RepoDigests } = await client.get<{ RepoDigests?: readonly string[] | null }>(`/images/${image}/json`);
    return (RepoDigests ?? []).length === 0;
  } catch {
    return false;
  }
}

const withImage = (spec: ServiceSpec, Image: string): ServiceSpec => ({
  ...spec,
  TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Image } },
});

/** Variants of arm run on more than their own kind: docker leaves their name out. */
function withPlatforms(spec: ServiceSpec, platforms: NonNullable<Distribution['Platforms']>): ServiceSpec {
  if (platforms.length === 0) return spec;
  const Platforms = platforms.map(({ architecture = '', os = '' }): Platform => ({
    Architecture: /^arm$/i.test(architecture) ? '' : architecture,
    OS: os,
  }));
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, Placement: { ...spec.TaskTemplate.Placement, Platforms } } };
}

/** docker's words. */
const notResolved = (image: string): string =>
  `image ${image} could not be accessed on a registry to record\nits digest. Each node will access ${image} independently,\n` +
  'possibly leading to different nodes running different\nversions of the image.';

const neverInRegistry = (image: string): string =>
  `image ${image} is on this machine and was never in a registry: each node that is to run it must have it\n`;
