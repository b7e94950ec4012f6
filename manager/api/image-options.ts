import type { AuthConfig } from '../../proto/registry/auth-config.js';

/** What a request says of images, besides the spec. */
export interface ImageOptions {
  /** `X-Registry-Auth`: credentials for the registry of the spec's image. */
  readonly registryAuth?: AuthConfig | undefined;
  /** Of an update without credentials: which spec's to keep, `spec` or `previous-spec`; `none`, bale's own, keeps none. */
  readonly registryAuthFrom?: string | undefined;
  /** Looks the digest of an image up; absent when the client did, or wants none. Never fails. */
  readonly resolveImage?: ((image: string) => Promise<ResolvedImage>) | undefined;
  /** Look it up also when an update names the image that the service has: its tag may have moved. */
  readonly resolveAgain?: boolean | undefined;
}

export interface ResolvedImage {
  /** With its digest, when one was found. */
  readonly image: string;
  /** For the user: why none was found, and what that means. */
  readonly warning?: string;
}
