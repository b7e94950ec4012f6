import { decode } from './decode.js';
import { checkService } from './service-rules.js';
import type { ServiceSpec } from './service-spec.js';
import { serviceSpecShape } from './service-spec-shape.js';

/**
 * The body of `/services/create` and `/services/{id}/update`: decoded, checked, and filled as the
 * Engine fills it (mode, isolation, runtime, protocols). Name is empty when none was sent. Throws
 * BALE_REQUEST_INVALID or BALE_SPEC_INVALID (400), FieldRefused (501).
 */
export function decodeServiceSpec(body: unknown): ServiceSpec {
  const spec = decode('ServiceSpec', serviceSpecShape, body);
  checkService(spec);
  return spec;
}
