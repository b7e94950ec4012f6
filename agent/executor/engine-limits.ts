import { BaleError } from '../../core/errors.js';
import type { ResourceRequirements } from '../../proto/engine/task-spec.js';

/** Which limits the Engine and its kernel can enforce. The Engine drops the others with a warning that nobody reads. */
export interface EngineLimits {
  readonly swap: boolean;
  readonly swappiness: boolean;
}

/** The part of `GET /info` that tells. */
export interface LimitInfo {
  readonly SwapLimit?: boolean;
  /** `1` or `2`. */
  readonly CgroupVersion?: string;
}

/** What an Engine does not tell it is taken to have. The second version of cgroups knows no swappiness. */
export const engineLimits = ({ SwapLimit, CgroupVersion }: LimitInfo): EngineLimits => ({
  swap: SwapLimit !== false,
  swappiness: CgroupVersion !== '2',
});

/** Throws BALE_LIMIT_UNSUPPORTED when a task asks for a limit that would be dropped. */
export function checkLimits({ SwapBytes, MemorySwappiness }: ResourceRequirements, limits: EngineLimits): void {
  if (!limits.swap && SwapBytes !== undefined && SwapBytes >= 0) {
    throw unsupported('Resources.SwapBytes: the kernel of this node cannot limit swap');
  }
  if (!limits.swappiness && MemorySwappiness !== undefined && MemorySwappiness >= 0) {
    throw unsupported(
      'Resources.MemorySwappiness: the kernel of this node (cgroups 2) has no swappiness of a container',
    );
  }
}

const unsupported = (what: string): BaleError =>
  new BaleError(`${what}; leave it out, or place the service elsewhere`, {
    kind: 'unimplemented',
    code: 'BALE_LIMIT_UNSUPPORTED',
  });
