import type { ServiceSpec } from './service-spec.js';
import { specError } from './spec-error.js';

const PORT_MODES = ['auto', 'tcp', 'http'];

const PORT_PROTOCOL = /^bale\.port\.([1-9][0-9]{0,4})\.protocol$/;

/**
 * The labels by which a service sets what the Engine API has no field for. Any other label under
 * `bale.` is refused by name: a slip in one would else be ignored. Throws BALE_SPEC_INVALID (400).
 */
export function checkBaleLabels(spec: ServiceSpec): void {
  const targets = new Set(
    (spec.EndpointSpec?.Ports ?? []).filter((port) => port.PublishMode !== 'host').map((port) => port.TargetPort),
  );
  for (const [label, value] of Object.entries(spec.Labels)) {
    if (!label.startsWith('bale.')) continue;
    const target = PORT_PROTOCOL.exec(label)?.[1];
    if (target === undefined) {
      throw specError(`label "${label}" is unknown: the labels under "bale." are bale.port.<target port>.protocol`);
    }
    if (!PORT_MODES.includes(value)) {
      throw specError(`label "${label}" must be one of ${PORT_MODES.join(', ')}, got ${JSON.stringify(value)}`);
    }
    if (!targets.has(Number(target))) {
      throw specError(`label "${label}": the service publishes no port in ingress mode whose target is ${target}`);
    }
  }
}
