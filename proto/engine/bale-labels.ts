import { errorMessage } from '../../core/errors.js';
import { checkDepends, DEPENDS } from './depends-label.js';
import { SCHEDULE_RULES } from './schedule-rules.js';
import { checkHostLabel, HOST_LABELS } from './host-labels.js';
import { IMAGE_PULL, IMAGE_PULL_CHOICES } from './image-pull-label.js';
import type { PortProtocol, ServiceSpec } from './service-spec.js';
import { DRAIN_DEADLINE, durationLabel, HOLD_TIMEOUT, PROGRESS_DEADLINE } from './service-deadlines.js';
import { parseIpRange } from './ip-range.js';
import { specError } from './spec-error.js';

const PORT_MODES = ['auto', 'tcp', 'http'];
const BALANCES = ['round-robin', 'least-connections', 'sticky'];

/** The least and the most a duration may be, ms. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

const DEADLINES: Readonly<Record<string, Bounds>> = {
  [DRAIN_DEADLINE]: { least: 0, most: 24 * 3_600_000 },
  [HOLD_TIMEOUT]: { least: 0, most: 60_000 },
  [PROGRESS_DEADLINE]: { least: 1_000, most: 24 * 3_600_000 },
};

/** Labels with a check of their own. */
const RULES: Readonly<Record<string, (spec: ServiceSpec) => void>> = {
  ...SCHEDULE_RULES,
  [DEPENDS]: checkDepends,
  [IMAGE_PULL]: (spec) => {
    checkChoice(spec, IMAGE_PULL, IMAGE_PULL_CHOICES);
  },
};

const UDP_TIMEOUT: Bounds = { least: 1_000, most: 3_600_000 };

const PORT_LABEL = /^bale\.port\.([1-9][0-9]{0,4})\.([a-z-]+)$/;

type PortCheck = (spec: ServiceSpec, label: string, target: number) => void;

const PORT_LABELS: Readonly<Record<string, PortCheck>> = {
  protocol: checkMode,
  balance: checkBalance,
  ip: checkAddress,
  'proxy-protocol': checkProxyProtocol,
  'max-connections': checkMaxConnections,
  'udp-timeout': checkUdpTimeout,
};

/**
 * The labels by which a service sets what the Engine API has no field for. Any other label under
 * `bale.` is refused by name: a slip in one would else be ignored. Throws BALE_SPEC_INVALID (400).
 */
export function checkBaleLabels(spec: ServiceSpec): void {
  for (const label of Object.keys(spec.Labels)) {
    if (!label.startsWith('bale.') || checkHostLabel(spec.Labels, label)) continue;
    const deadline = Object.hasOwn(DEADLINES, label) ? DEADLINES[label] : undefined;
    if (deadline !== undefined) {
      checkDuration(spec.Labels, label, deadline);
      continue;
    }
    const rule = Object.hasOwn(RULES, label) ? RULES[label] : undefined;
    if (rule !== undefined) {
      rule(spec);
      continue;
    }
    const [, target, setting = ''] = PORT_LABEL.exec(label) ?? [];
    const check = Object.hasOwn(PORT_LABELS, setting) ? PORT_LABELS[setting] : undefined;
    if (check === undefined) {
      const known = Object.keys(PORT_LABELS).map((each) => `bale.port.<target port>.${each}`);
      throw specError(
        `label "${label}" is unknown: the labels under "bale." are ${[...known, ...Object.keys(DEADLINES), ...Object.keys(RULES), ...Object.keys(HOST_LABELS)].join(', ')}`,
      );
    }
    check(spec, label, Number(target));
  }
}

function checkMode(spec: ServiceSpec, label: string, target: number): void {
  checkChoice(spec, label, PORT_MODES);
  checkPublished(spec, label, target, 'tcp');
}

function checkBalance(spec: ServiceSpec, label: string, target: number): void {
  checkChoice(spec, label, BALANCES);
  const protocols = ingressProtocols(spec, target);
  if (!protocols.includes('udp') || protocols.includes('tcp')) {
    checkPublished(spec, label, target, 'tcp');
    return;
  }
  const value = spec.Labels[label] ?? '';
  if (value === 'sticky') return;
  throw specError(
    `label "${label}": a client of a udp port always stays with its replica; set it to sticky or leave it out, got ${JSON.stringify(value)}`,
  );
}

function checkProxyProtocol(spec: ServiceSpec, label: string, target: number): void {
  checkChoice(spec, label, ['v1', 'v2']);
  checkPublished(spec, label, target, 'tcp');
  const mode = spec.Labels[`bale.port.${target}.protocol`] ?? 'tcp';
  if (mode === 'tcp') return;
  throw specError(
    `label "${label}": connections that begin with a PROXY header are never read as HTTP; leave "bale.port.${target}.protocol" out or set it to tcp, got ${JSON.stringify(mode)}`,
  );
}

function checkAddress(spec: ServiceSpec, label: string, target: number): void {
  const value = spec.Labels[label] ?? '';
  if (parseIpRange(value) === undefined) {
    throw specError(
      `label "${label}" must be an IP address or a range of them, such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, got ${JSON.stringify(value)}`,
    );
  }
  if ((spec.EndpointSpec?.Ports ?? []).some(({ TargetPort }) => TargetPort === target)) return;
  throw specError(`label "${label}": the service publishes no port whose target is ${target}`);
}

function checkMaxConnections(spec: ServiceSpec, label: string, target: number): void {
  const value = spec.Labels[label] ?? '';
  if (!/^[1-9][0-9]{0,5}$/.test(value)) {
    throw specError(`label "${label}" must be a whole number from 1 to 999999, got ${JSON.stringify(value)}`);
  }
  checkPublished(spec, label, target, 'tcp');
}

function checkChoice({ Labels }: ServiceSpec, label: string, choices: readonly string[]): void {
  const value = Labels[label] ?? '';
  if (choices.includes(value)) return;
  throw specError(`label "${label}" must be one of ${choices.join(', ')}, got ${JSON.stringify(value)}`);
}

function checkUdpTimeout(spec: ServiceSpec, label: string, target: number): void {
  checkDuration(spec.Labels, label, UDP_TIMEOUT);
  checkPublished(spec, label, target, 'udp');
}

/** Of the ports in ingress mode with this target. */
const ingressProtocols = ({ EndpointSpec }: ServiceSpec, target: number): readonly PortProtocol[] =>
  (EndpointSpec?.Ports ?? []).flatMap(({ TargetPort, PublishMode, Protocol = 'tcp' }) =>
    TargetPort === target && PublishMode !== 'host' ? [Protocol] : [],
  );

function checkPublished(spec: ServiceSpec, label: string, target: number, protocol: PortProtocol): void {
  if (ingressProtocols(spec, target).includes(protocol)) return;
  throw specError(
    `label "${label}": the service publishes no ${protocol} port in ingress mode whose target is ${target}`,
  );
}

function checkDuration(labels: ServiceSpec['Labels'], label: string, { least, most }: Bounds): void {
  let ms: number;
  try {
    ms = durationLabel(labels, label) ?? 0;
  } catch (error) {
    throw specError(errorMessage(error));
  }
  if (ms < least || ms > most) {
    throw specError(
      `label "${label}" must be from ${least / 1000}s to ${atMost(most)}, got ${JSON.stringify(labels[label])}`,
    );
  }
}

const atMost = (ms: number): string => (ms < 3_600_000 ? `${ms / 1000}s` : `${ms / 3_600_000}h`);
