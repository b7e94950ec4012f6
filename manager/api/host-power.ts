import { BaleError } from '../../core/errors.js';
import { hostOptionsOf } from '../../proto/engine/host-labels.js';
import { type HostPower, refusedPower } from '../../proto/engine/host-options.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';

/** Throws BALE_HOST_POWER_REFUSED (403) when the spec gives its containers power that the manager does not allow. */
export function checkPower({ Name, Labels }: ServiceSpec, allowed: ReadonlySet<HostPower>): void {
  const refused = refusedPower(hostOptionsOf(Labels), allowed);
  if (refused !== undefined)
    throw new BaleError(Name === '' ? refused : `service ${Name}: ${refused}`, {
      kind: 'forbidden',
      code: 'BALE_HOST_POWER_REFUSED',
    });
}
