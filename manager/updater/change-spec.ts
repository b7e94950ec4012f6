import { hostOptionsOf } from '../../proto/engine/host-labels.js';
import type { UpdateStatus } from '../../proto/engine/service-document.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import type { NodeLookup } from '../orchestrator/task-action.js';
import type { PastSpec, Rollout, ServiceObject, TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';
import { runsAfterChange } from '../schedule/schedule-state.js';
import { neededRegistryAuth } from '../secrets/registry-auth.js';
import { effectiveDigest, sameOptions } from './effective-spec.js';
import { isRolling } from './rollout-config.js';
import { slotStates } from './slot-state.js';

/** Earlier specs that are kept. */
const HISTORY = 10;

export interface SpecChange {
  readonly service: ServiceObject;
  readonly spec: ServiceSpec;
  /** As allotted for `spec`. */
  readonly ports: ServiceObject['ports'];
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
  /** The index that the change will carry. */
  readonly index: number;
  readonly now: number;
  /** An automatic rollback drops the spec that failed; after a manual one the way back stays open. */
  readonly cause:
    | { readonly kind: 'update' }
    | { readonly kind: 'manual-rollback' }
    | { readonly kind: 'automatic-rollback'; readonly message: string };
}

/**
 * The row of a service with another spec: what it was goes to the history, and a rollout begins when
 * there is a task that the new spec concerns. One that goes on goes on when nothing of it changed. A job
 * is run anew instead, unless a schedule says when.
 */
export function changeSpec(change: SpecChange): Draft<ServiceObject> {
  const { service, spec, ports, cause, now } = change;
  const { id, updateStatus, rollout } = service;
  const past: PastSpec = { version: service.version, writtenAt: service.updatedAt, spec: service.spec };
  const next = { id, spec, ports };
  const slots = slotStates({ ...change, service: { ...service, ...next } }).filter(
    ({ dirty, incumbent, open }) => dirty || incumbent !== undefined || open,
  ).length;
  const goesOn = cause.kind === 'update' && isRolling(service) && sameTemplate(service.spec, spec);
  const started =
    service.job !== undefined
      ? {}
      : goesOn && rollout !== undefined && updateStatus !== undefined
        ? { rollout, updateStatus }
        : begin(change, slots, now);
  const history = [past, ...(service.history ?? [])].slice(0, HISTORY);
  const back = wayBack(change, goesOn);
  const specs = [spec, ...Object.values(back), ...history.map((one) => one.spec)];
  const registryAuth = neededRegistryAuth(service.registryAuth, specs);
  return {
    ...next,
    ...back,
    history,
    ...started,
    ...runsAfterChange(service, spec, now),
    ...(registryAuth === undefined ? {} : { registryAuth }),
  };
}

/**
 * Where a rollback leads. A service that is scaled in the middle of a rollout is rolled back to the
 * spec before that rollout, with its new scale, not to the one that may be failing.
 */
function wayBack({ service, spec, cause }: SpecChange, goesOn: boolean): Pick<ServiceObject, 'previousSpec'> {
  if (cause.kind === 'automatic-rollback') return {};
  if (!goesOn || service.previousSpec === undefined) return { previousSpec: service.spec };
  return { previousSpec: { ...service.previousSpec, Mode: spec.Mode } };
}

function begin(
  { cause, index }: SpecChange,
  slots: number,
  now: number,
): { readonly updateStatus?: UpdateStatus; readonly rollout?: Rollout } {
  const StartedAt = new Date(now).toISOString();
  const rollout = { id: index, startedAt: now, slots };
  switch (cause.kind) {
    case 'update':
      if (slots === 0) return {};
      return { updateStatus: { State: 'updating', StartedAt, Message: 'update in progress' }, rollout };
    case 'manual-rollback':
      return {
        updateStatus: { State: 'rollback_started', StartedAt, Message: 'manually requested rollback' },
        rollout,
      };
    case 'automatic-rollback':
      return { updateStatus: { State: 'rollback_started', StartedAt, Message: cause.message }, rollout };
  }
}

const sameTemplate = (a: ServiceSpec, b: ServiceSpec): boolean =>
  effectiveDigest(a.TaskTemplate) === effectiveDigest(b.TaskTemplate) &&
  sameOptions(hostOptionsOf(a.Labels), hostOptionsOf(b.Labels));
