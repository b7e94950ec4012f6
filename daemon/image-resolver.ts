import type { Clock } from '../core/clock.js';
import { errorMessage } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ResolvedImage } from '../manager/api/image-options.js';
import { pinned, registryOf } from '../proto/engine/image-name.js';
import { encodeAuthHeader, type AuthConfig } from '../proto/registry/auth-config.js';
import type { CredentialLookup } from '../proto/registry/registry-credentials.js';
import type { EngineClient } from './engine-client.js';

/** The longest that a request waits for a registry, ms. */
const PATIENCE = 3_000;
/** A registry that gave no answer in that time is not asked again for so long, ms. */
const REST = 60_000;

export interface ImageResolverOptions {
  readonly engine: Pick<EngineClient, 'get'>;
  /** This node's own. */
  readonly credentials: CredentialLookup;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Finds the digest that a tag has now, through the local Engine. */
export class ImageResolver {
  readonly #options: ImageResolverOptions;
  /** Registries that gave no answer, and until when they are left alone, ms since the epoch. */
  readonly #resting = new Map<string, number>();

  constructor(options: ImageResolverOptions) {
    this.#options = options;
  }

  /** Never fails: an image without a digest comes with the reason, except one that is of this Engine alone. */
  async resolve(image: string, given: AuthConfig | undefined): Promise<ResolvedImage> {
    const { logger } = this.#options;
    const signal = AbortSignal.timeout(PATIENCE);
    let isAsked = false;
    try {
      if (await this.#isLocal(image, signal)) return { image };
      isAsked = true;
      const digest = await this.#digest(image, given, signal);
      logger.debug({ image, digest }, 'image resolved');
      return { image: pinned(image, digest) };
    } catch (error) {
      // A registry is not to blame for an Engine that is busy.
      const cause = !signal.aborted
        ? errorMessage(error)
        : isAsked
          ? this.#rest(registryOf(image))
          : silent('the Docker Engine');
      logger.info({ image, err: cause }, 'image not resolved');
      return { image, warning: `${notResolved(image)} The cause: ${cause}` };
    }
  }

  /** One that the Engine has and that never was in a registry: nobody could be asked. */
  async #isLocal(image: string, signal: AbortSignal): Promise<boolean> {
    const { status, body } = await this.#options.engine.get(`/images/${image}/json`, signal);
    const digests: unknown = status === 200 ? field(parse(body), 'RepoDigests') : undefined;
    return status === 200 && (!Array.isArray(digests) || digests.length === 0);
  }

  async #digest(image: string, given: AuthConfig | undefined, signal: AbortSignal): Promise<string> {
    const { engine, credentials, clock } = this.#options;
    const registry = registryOf(image);
    if ((this.#resting.get(registry) ?? 0) > clock.now()) throw new Error(`${registry} gave no answer a moment ago`);
    const auth = given ?? (await credentials(registry, signal));
    const headers = auth === undefined ? {} : { 'X-Registry-Auth': encodeAuthHeader(auth) };
    const { status, body } = await engine.get(`/distribution/${image}/json`, signal, headers);
    const document = parse(body);
    const digest = field(field(document, 'Descriptor'), 'digest');
    if (status === 200 && typeof digest === 'string') return digest;
    const message = field(document, 'message');
    throw new Error(typeof message === 'string' ? message : `the Docker Engine answered with status ${status}`);
  }

  #rest(registry: string): string {
    this.#resting.set(registry, this.#options.clock.now() + REST);
    return silent(registry);
  }
}

const silent = (who: string): string => `${who} gave no answer within ${PATIENCE / 1000} s`;

/** docker's own words. */
const notResolved = (image: string): string =>
  `image ${image} could not be accessed on a registry to record its digest. Each node will access ${image} ` +
  'independently, possibly leading to different nodes running different versions of the image.';

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
