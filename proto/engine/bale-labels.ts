import { errorMessage } from '../../core/errors.js';
import type { ServiceSpec } from './service-spec.js';
import { DRAIN_DEADLINE, durationLabel, HOLD_TIMEOUT, PROGRESS_DEADLINE } from './service-deadlines.js';
import { specError } from './spec-error.js';

const PORT_MODES = ['auto', 'tcp', 'http'];

/** Deadlines with the least and the most they may be, ms. */
const DEADLINES: Readonly<Record<string, { readonly least: number; readonly most: number }>> = {
  [DRAIN_DEADLINE]: { least: 0, most: 24 * 3_600_000 },
  [HOLD_TIMEOUT]: { least: 0, most: 60_000 },
  [PROGRESS_DEADLINE]: { least: 1_000, most: 24 * 3_600_000 },
};

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
    if (checkDeadline(spec.Labels, label)) continue;
    const target = PORT_PROTOCOL.exec(label)?.[1];
    if (target === undefined) {
      throw specError(
        `label "${label}" is unknown: the labels under "bale." are bale.port.<target port>.protocol, ${Object.keys(DEADLINES).join(', ')}`,
      );
    }
    if (!PORT_MODES.includes(value)) {
      throw specError(`label "${label}" must be one of ${PORT_MODES.join(', ')}, got ${JSON.stringify(value)}`);
    }
    if (!targets.has(Number(target))) {
      throw specError(`label "${label}": the service publishes no port in ingress mode whose target is ${target}`);
    }
  }
}

/** Whether `label` is one of the deadlines. */
function checkDeadline(labels: ServiceSpec['Labels'], label: string): boolean {
  const bounds = Object.hasOwn(DEADLINES, label) ? DEADLINES[label] : undefined;
  if (bounds === undefined) return false;
  let ms: number;
  try {
    ms = durationLabel(labels, label) ?? 0;
  } catch (error) {
    throw specError(errorMessage(error));
  }
  if (ms < bounds.least || ms > bounds.most) {
    throw specError(
      `label "${label}" must be from ${bounds.least / 1000}s to ${atMost(bounds.most)}, got ${JSON.stringify(labels[label])}`,
    );
  }
  return true;
}

const atMost = (ms: number): string => (ms < 3_600_000 ? `${ms / 1000}s` : `${ms / 3_600_000}h`);
