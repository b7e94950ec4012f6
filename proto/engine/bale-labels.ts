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

const PORT_LABEL = /^bale\.port\.([1-9][0-9]{0,4})\.([a-z-]+)$/;

type PortCheck = (spec: ServiceSpec, label: string, target: number) => void;

const PORT_LABELS: Readonly<Record<string, PortCheck>> = {
  protocol: checkMode,
  'proxy-protocol': checkProxyProtocol,
  'max-connections': checkMaxConnections,
};

/**
 * The labels by which a service sets what the Engine API has no field for. Any other label under
 * `bale.` is refused by name: a slip in one would else be ignored. Throws BALE_SPEC_INVALID (400).
 */
export function checkBaleLabels(spec: ServiceSpec): void {
  for (const label of Object.keys(spec.Labels)) {
    if (!label.startsWith('bale.')) continue;
    if (checkDeadline(spec.Labels, label)) continue;
    const [, target, setting = ''] = PORT_LABEL.exec(label) ?? [];
    const check = Object.hasOwn(PORT_LABELS, setting) ? PORT_LABELS[setting] : undefined;
    if (check === undefined) {
      const known = Object.keys(PORT_LABELS).map((each) => `bale.port.<target port>.${each}`);
      throw specError(
        `label "${label}" is unknown: the labels under "bale." are ${[...known, ...Object.keys(DEADLINES)].join(', ')}`,
      );
    }
    check(spec, label, Number(target));
  }
}

function checkMode(spec: ServiceSpec, label: string, target: number): void {
  checkChoice(spec, label, PORT_MODES);
  checkPublished(spec, label, target);
}

function checkProxyProtocol(spec: ServiceSpec, label: string, target: number): void {
  checkChoice(spec, label, ['v1', 'v2']);
  checkPublished(spec, label, target);
  const mode = spec.Labels[`bale.port.${target}.protocol`] ?? 'tcp';
  if (mode === 'tcp') return;
  throw specError(
    `label "${label}": connections that begin with a PROXY header are never read as HTTP; leave "bale.port.${target}.protocol" out or set it to tcp, got ${JSON.stringify(mode)}`,
  );
}

function checkMaxConnections(spec: ServiceSpec, label: string, target: number): void {
  const value = spec.Labels[label] ?? '';
  if (!/^[1-9][0-9]{0,5}$/.test(value)) {
    throw specError(`label "${label}" must be a whole number from 1 to 999999, got ${JSON.stringify(value)}`);
  }
  checkPublished(spec, label, target);
}

function checkChoice({ Labels }: ServiceSpec, label: string, choices: readonly string[]): void {
  const value = Labels[label] ?? '';
  if (choices.includes(value)) return;
  throw specError(`label "${label}" must be one of ${choices.join(', ')}, got ${JSON.stringify(value)}`);
}

function checkPublished({ EndpointSpec }: ServiceSpec, label: string, target: number): void {
  const isPublished = (EndpointSpec?.Ports ?? []).some(
    ({ TargetPort, PublishMode, Protocol = 'tcp' }) =>
      TargetPort === target && PublishMode !== 'host' && Protocol === 'tcp',
  );
  if (isPublished) return;
  throw specError(`label "${label}": the service publishes no tcp port in ingress mode whose target is ${target}`);
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
