import { timestamp } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import { newId } from '../../core/id.js';
import type { Logger } from '../../core/logger.js';
import type { HostPower } from '../../proto/engine/host-options.js';
import { registryOf } from '../../proto/engine/image-name.js';
import type { PastSpecDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import { modeOf } from '../../proto/engine/service-mode.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { checkDependencies, unknownDependencies } from '../depends/dependency-check.js';
import { firstRun } from '../schedule/schedule-state.js';
import { newRegistryAuthId, withRegistryAuth } from '../secrets/registry-auth.js';
import type { Vault } from '../secrets/vault.js';
import { shallLive } from '../drain/task-wish.js';
import type { RegistryAuth, ServiceObject } from '../store/objects.js';
import type { Store, Transaction } from '../store/store-types.js';
import { failedPrecondition, nameConflict, outOfSequence, parseVersion } from './api-errors.js';
import { acceptFilters, hasLabels, hasPrefix, isFiltering, isOneOf, valuesOf } from './filters.js';
import type { ImageOptions } from './image-options.js';
import { pinImage } from './image-pin.js';
import { checkPower } from './host-power.js';
import { findService } from './lookup.js';
import { portErrorsByService, portOwners } from './port-errors.js';
import { randomName } from './random-name.js';
import { checkReferences } from './reference-check.js';
import { decideServiceUpdate } from './service-change.js';
import { serviceDocument } from './service-document.js';
import { type ListedWith, serviceList } from './service-list.js';
import { serviceStatus } from './service-status.js';
import { allottedPorts, writeSpec } from './spec-write.js';
import type { Filters, SwarmApi } from './swarm-api.js';

/** bale's own value of `registryAuthFrom`: the service forgets all credentials that it has. */
const NO_AUTH = 'none';

const FILTERS = ['id', 'label', 'mode', 'name', 'runtime'];

type ServiceVerbs = Pick<
  SwarmApi,
  | 'createService'
  | 'services'
  | 'serviceList'
  | 'service'
  | 'updateService'
  | 'history'
  | 'rollBackTo'
  | 'removeService'
>;

/** `/services`. Each change is one transaction: a request that fails leaves nothing behind. */
export class ServiceApi implements ServiceVerbs {
  readonly #store: Store;
  readonly #logger: Logger;

  readonly #waits: (service: ServiceObject) => readonly string[];

  readonly #vault: Pick<Vault, 'seal'>;

  readonly #allowed: ReadonlySet<HostPower>;

  /** `waits` says what the slots of a service wait for; `allowed` is the power over nodes that specs may give. */
  constructor(
    store: Store,
    waits: (service: ServiceObject) => readonly string[],
    vault: Pick<Vault, 'seal'>,
    allowed: ReadonlySet<HostPower>,
    logger: Logger,
  ) {
    this.#store = store;
    this.#waits = waits;
    this.#vault = vault;
    this.#allowed = allowed;
    this.#logger = logger;
  }

  async createService(
    body: unknown,
    images: ImageOptions = {},
  ): Promise<{ readonly ID: string; readonly Warnings?: readonly string[] }> {
    const { decodeServiceSpec } = await loadDecoder();
    const decoded = decodeServiceSpec(body);
    checkPower(decoded, this.#allowed);
    const { spec: sent, warnings } = await pinImage(decoded, undefined, images);
    const id = newId();
    const given = this.#sealed(id, sent, images);
    const { name, unknown } = await this.#store.update((tx) => {
      const Name = sent.Name === '' ? randomName(Math.random, (one) => tx.serviceByName(one) !== undefined) : sent.Name;
      if (tx.serviceByName(Name) !== undefined) throw nameConflict(Name);
      const spec: ServiceSpec = { ...sent, Name };
      checkReferences(tx, spec);
      const ports = allottedPorts(spec, tx);
      checkDependencies(tx, spec);
      const runs = firstRun(spec, tx.now);
      tx.put('service', { id, spec, ports, ...runs, ...(given === undefined ? {} : { registryAuth: [given] }) });
      return { name: Name, unknown: unknownDependencies(tx, spec) };
    });
    this.#logger.info({ service: id, name }, 'service created');
    const all = [...warnings, ...unknown];
    return { ID: id, ...(all.length === 0 ? {} : { Warnings: all }) };
  }

  services(filters: Filters, status: boolean): readonly ServiceDocument[] {
    const listedWith = this.#listedWith(status);
    return this.#matching(filters).map((service) =>
      serviceDocument(service, { insertDefaults: false, ...listedWith(service) }),
    );
  }

  /** Throws as `services` does, before there is a piece. */
  serviceList(filters: Filters, status: boolean): Iterable<string> {
    return serviceList(this.#matching(filters), this.#listedWith(status));
  }

  #matching(filters: Filters): readonly ServiceObject[] {
    acceptFilters(filters, FILTERS);
    const all = this.#store.view.all('service');
    return isFiltering(filters) ? all.filter((service) => matches(service, filters)) : all;
  }

  #listedWith(status: boolean): (service: ServiceObject) => ListedWith {
    const { view } = this.#store;
    const errors = portErrorsByService(view.all('node'), portOwners(view.all('service')));
    return (service) => ({
      portErrors: errors.get(service.id) ?? [],
      ...(status ? { status: serviceStatus(service, view) } : {}),
    });
  }

  service(id: string, insertDefaults: boolean): ServiceDocument {
    const { view } = this.#store;
    const service = findService(view, id);
    return serviceDocument(service, {
      insertDefaults,
      portErrors: portErrorsByService(view.all('node'), portOwners([service])).get(service.id) ?? [],
      waiting: this.#waits(service),
      warnings: view
        .tasksByService(service.id)
        .flatMap((task) => (shallLive(task) ? (task.volumesLeft?.warning ?? []) : [])),
    });
  }

  async updateService(
    id: string,
    version: string | undefined,
    body: unknown,
    options: { readonly rollback: string | undefined } & ImageOptions,
  ): Promise<{ readonly Warnings: readonly string[] | null }> {
    const index = parseVersion('service', version);
    const { decodeServiceSpec } = await loadDecoder();
    const sent = decodeServiceSpec(body);
    if (wantsRollback(options.rollback)) return this.#rollBack(id, index);
    const present = findService(this.#store.view, id);
    checkAuthFrom(options, present);
    const { spec: wanted, warnings } = await pinImage(sent, present.spec, options);
    const given = this.#sealed(present.id, wanted, options);
    const done = await this.#store.update((tx) => {
      const service = changeRegistryAuth(tx, findService(tx, id), given, options);
      const change = decideServiceUpdate(service, index, wanted);
      switch (change.kind) {
        case 'refuse':
          throw change.error;
        case 'nothing':
          break;
        case 'write':
          checkPower(change.spec, this.#allowed);
          writeSpec(tx, service, change.spec, 'update');
      }
      return { service: service.id, reason: change.reason, unknown: unknownDependencies(tx, wanted) };
    });
    const { unknown, ...line } = done;
    this.#logger.info(line, 'service updated');
    const all = [...warnings, ...unknown];
    return { Warnings: all.length === 0 ? null : all };
  }

  #sealed(serviceId: string, { TaskTemplate }: ServiceSpec, { registryAuth }: ImageOptions): RegistryAuth | undefined {
    if (registryAuth === undefined) return undefined;
    const id = newRegistryAuthId(serviceId, newId());
    const data = Buffer.from(JSON.stringify(registryAuth));
    const sealed = this.#vault.seal({ kind: 'registry-auth', id }, data);
    return { id, registry: registryOf(TaskTemplate.ContainerSpec.Image), sealed };
  }

  /** Earlier specs, the newest first. */
  history(id: string): readonly PastSpecDocument[] {
    const service = findService(this.#store.view, id);
    return (service.history ?? []).map(({ version, writtenAt, spec }) => ({
      Version: { Index: version },
      UpdatedAt: timestamp(writtenAt),
      Spec: spec,
    }));
  }

  async rollBackTo(id: string, version: string | undefined): Promise<{ readonly Warnings: null }> {
    const index = parsePastVersion(version);
    return this.#putBack(id, (service) => {
      const past = service.history?.find((one) => one.version === index);
      if (past !== undefined) return past.spec;
      throw noSuchSpec(service, index);
    });
  }

  /** To the spec before the present one; a second time leads back again. What such a request's body says is ignored. */
  async #rollBack(id: string, version: number): Promise<{ readonly Warnings: null }> {
    return this.#putBack(id, (service) => {
      if (version !== service.version) throw outOfSequence();
      if (service.previousSpec !== undefined) return service.previousSpec;
      throw failedPrecondition(`service ${service.id} does not have a previous spec`, 'BALE_NO_PREVIOUS_SPEC');
    });
  }

  async #putBack(id: string, choose: (service: ServiceObject) => ServiceSpec): Promise<{ readonly Warnings: null }> {
    const done = await this.#store.update((tx) => {
      const service = findService(tx, id);
      const spec = choose(service);
      checkPower(spec, this.#allowed);
      writeSpec(tx, service, spec, 'manual-rollback');
      return { service: service.id };
    });
    this.#logger.info(done, 'service rolled back');
    return { Warnings: null };
  }

  /** The orchestrator removes the tasks: it sees that their service is gone. */
  async removeService(id: string): Promise<void> {
    const removed = await this.#store.update((tx) => {
      const service = findService(tx, id);
      tx.delete('service', service.id);
      return { service: service.id, name: service.spec.Name };
    });
    this.#logger.info(removed, 'service removed');
  }
}

/** Characters of a wrong value that are repeated. */
const SHOWN = 64;

/** The validation library costs 100 ms and 15 MB: a manager that restarts does not wait for it. */
const loadDecoder = () => import('../../proto/engine/decode-service-spec.js');

/** `?to=` of a rollback. */
function parsePastVersion(to = ''): number {
  if (/^\d{1,15}$/.test(to)) return Number(to);
  throw new BaleError(
    `to: ${JSON.stringify(to.slice(0, 64))} is no version; the service's history (GET /bale/services/ID/history) lists them`,
    { kind: 'invalid', code: 'BALE_VERSION_INVALID' },
  );
}

const noSuchSpec = ({ id, history = [] }: ServiceObject, version: number): BaleError =>
  new BaleError(
    `service ${id} has no earlier spec of version ${version}; it has ${history.map((past) => past.version).join(', ') || 'none'}`,
    { kind: 'not-found', code: 'BALE_NO_SUCH_SPEC' },
  );

/** Throws in the Engine's words. The newest credentials of a registry count for every spec, so both choices keep them. */
function checkAuthFrom({ registryAuth, registryAuthFrom }: ImageOptions, service: ServiceObject): void {
  if (registryAuth !== undefined) return;
  switch (registryAuthFrom ?? '') {
    case '':
    case 'spec':
    case NO_AUTH:
      return;
    case 'previous-spec':
      if (service.previousSpec !== undefined) return;
      throw new BaleError('service does not have a previous spec', {
        kind: 'failed-precondition',
        code: 'BALE_NO_PREVIOUS_SPEC',
      });
    default:
      throw new BaleError('unsupported registryAuthFrom value', {
        kind: 'invalid',
        code: 'BALE_REGISTRY_AUTH_FROM_INVALID',
      });
  }
}

/** Written at once, also when the spec stays as it is: they may be all that the client wants to change. */
function changeRegistryAuth(
  tx: Transaction,
  service: ServiceObject,
  given: RegistryAuth | undefined,
  { registryAuthFrom }: ImageOptions,
): ServiceObject {
  const { registryAuth: present, ...rest } = service;
  // Given beside it they would be the only ones.
  const known = registryAuthFrom === NO_AUTH ? undefined : present;
  const registryAuth = given === undefined ? known : withRegistryAuth(known, given);
  if (registryAuth === present) return service;
  const changed = registryAuth === undefined ? rest : { ...rest, registryAuth };
  tx.put('service', changed);
  return changed;
}

function wantsRollback(rollback: string | undefined): boolean {
  if (rollback === undefined || rollback === '') return false;
  if (rollback === 'previous') return true;
  throw new BaleError(`unrecognized rollback option ${rollback.slice(0, SHOWN)}`, {
    kind: 'invalid',
    code: 'BALE_ROLLBACK_INVALID',
  });
}

const matches = ({ id, spec }: ServiceObject, filters: Filters): boolean =>
  hasPrefix(id, valuesOf(filters, 'id')) &&
  hasPrefix(spec.Name, valuesOf(filters, 'name')) &&
  hasLabels(spec.Labels, valuesOf(filters, 'label')) &&
  isOneOf(modeOf(spec.Mode), valuesOf(filters, 'mode')) &&
  isOneOf(spec.TaskTemplate.Runtime ?? 'container', valuesOf(filters, 'runtime'));
