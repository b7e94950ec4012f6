import { timestamp } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import { newId } from '../../core/id.js';
import type { Logger } from '../../core/logger.js';
import { FieldRefused } from '../../proto/engine/decode.js';
import type { PortError } from '../../proto/engine/node-document.js';
import type { PastSpecDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import type { ServiceMode, ServiceSpec } from '../../proto/engine/service-spec.js';
import type { ServiceObject } from '../store/objects.js';
import type { Store, View } from '../store/store-types.js';
import { failedPrecondition, nameConflict, outOfSequence, parseVersion, unimplemented } from './api-errors.js';
import { acceptFilters, hasLabels, hasPrefix, isOneOf, valuesOf } from './filters.js';
import { findService } from './lookup.js';
import { randomName } from './random-name.js';
import { checkReferences } from './reference-check.js';
import { decideServiceUpdate } from './service-change.js';
import { serviceDocument, serviceStatus } from './service-document.js';
import { allottedPorts, writeSpec } from './spec-write.js';
import type { Filters, SwarmApi } from './swarm-api.js';

const FILTERS = ['id', 'label', 'mode', 'name', 'runtime'];

type ServiceVerbs = Pick<
  SwarmApi,
  'createService' | 'services' | 'service' | 'updateService' | 'history' | 'rollBackTo' | 'removeService'
>;

/** `/services`. Each change is one transaction: a request that fails leaves nothing behind. */
export class ServiceApi implements ServiceVerbs {
  readonly #store: Store;
  readonly #logger: Logger;

  readonly #waits: (service: ServiceObject) => readonly string[];

  /** `waits` says what the slots of a service wait for. */
  constructor(store: Store, waits: (service: ServiceObject) => readonly string[], logger: Logger) {
    this.#store = store;
    this.#waits = waits;
    this.#logger = logger;
  }

  async createService(body: unknown): Promise<{ readonly ID: string }> {
    const { decodeServiceSpec } = await loadDecoder();
    const sent = decodeServiceSpec(body);
    const id = newId();
    const name = await this.#store.update((tx) => {
      const Name = sent.Name === '' ? randomName(Math.random, (one) => tx.serviceByName(one) !== undefined) : sent.Name;
      if (tx.serviceByName(Name) !== undefined) throw nameConflict(Name);
      const spec: ServiceSpec = { ...sent, Name };
      checkReferences(tx, spec);
      tx.put('service', { id, spec, ports: allottedPorts(spec, tx) });
      return Name;
    });
    this.#logger.info({ service: id, name }, 'service created');
    return { ID: id };
  }

  services(filters: Filters, status: boolean): readonly ServiceDocument[] {
    acceptFilters(filters, FILTERS);
    const { view } = this.#store;
    const errors = portErrorsByService(view);
    return view
      .all('service')
      .filter((service) => matches(service, filters))
      .map((service) =>
        serviceDocument(service, {
          insertDefaults: false,
          portErrors: errors.get(service.id) ?? [],
          ...(status ? { status: serviceStatus(service, view.tasksByService(service.id)) } : {}),
        }),
      );
  }

  service(id: string, insertDefaults: boolean): ServiceDocument {
    const { view } = this.#store;
    const service = findService(view, id);
    return serviceDocument(service, {
      insertDefaults,
      portErrors: portErrorsByService(view).get(service.id) ?? [],
      waiting: this.#waits(service),
    });
  }

  async updateService(
    id: string,
    version: string | undefined,
    body: unknown,
    options: { readonly rollback: string | undefined },
  ): Promise<{ readonly Warnings: null }> {
    const index = parseVersion('service', version);
    if (wantsRollback(options.rollback)) return this.#rollBack(id, index);
    const wanted = await decodeUpdate(body);
    const done = await this.#store.update((tx) => {
      const service = findService(tx, id);
      const change = decideServiceUpdate(service, index, wanted);
      switch (change.kind) {
        case 'refuse':
          throw change.error;
        case 'nothing':
          break;
        case 'write':
          writeSpec(tx, service, change.spec, 'update');
      }
      return { service: service.id, reason: change.reason };
    });
    this.#logger.info(done, 'service updated');
    return { Warnings: null };
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
    const index = parseVersion('service', version);
    return this.#putBack(id, (service) => {
      const past = service.history?.find((one) => one.version === index);
      if (past !== undefined) return past.spec;
      throw noSuchSpec(service, index);
    });
  }

  /** To the spec before the present one; a second time leads back again. The body of such a request is ignored. */
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
      writeSpec(tx, service, choose(service), 'manual-rollback');
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

/** The validation library costs 100 ms and 15 MB: a manager that restarts does not wait for it. */
const loadDecoder = () => import('../../proto/engine/decode-service-spec.js');

const noSuchSpec = ({ id, history = [] }: ServiceObject, version: number): BaleError =>
  new BaleError(
    `service ${id} has no earlier spec of version ${version}; it has ${history.map((past) => past.version).join(', ') || 'none'}`,
    { kind: 'not-found', code: 'BALE_NO_SUCH_SPEC' },
  );

/** A mode that this version does not have is, to a service that exists, a change of mode. */
async function decodeUpdate(body: unknown): Promise<ServiceSpec> {
  const { decodeServiceSpec } = await loadDecoder();
  try {
    return decodeServiceSpec(body);
  } catch (error) {
    if (error instanceof FieldRefused && error.field.startsWith('Mode.')) {
      throw unimplemented('service mode change is not allowed');
    }
    throw error;
  }
}

function wantsRollback(rollback: string | undefined): boolean {
  if (rollback === undefined || rollback === '') return false;
  if (rollback === 'previous') return true;
  throw new BaleError(`unrecognized rollback option ${JSON.stringify(rollback)}`, {
    kind: 'invalid',
    code: 'BALE_ROLLBACK_INVALID',
  });
}

const MODE_NAMES: Readonly<Record<keyof ServiceMode, string>> = {
  Replicated: 'replicated',
  Global: 'global',
  ReplicatedJob: 'replicated-job',
  GlobalJob: 'global-job',
};

const modeName = (mode: ServiceMode): string =>
  Object.entries(MODE_NAMES).find(([key]) => Object.hasOwn(mode, key))?.[1] ?? MODE_NAMES.Replicated;

const matches = ({ id, spec }: ServiceObject, filters: Filters): boolean =>
  hasPrefix(id, valuesOf(filters, 'id')) &&
  hasPrefix(spec.Name, valuesOf(filters, 'name')) &&
  hasLabels(spec.Labels, valuesOf(filters, 'label')) &&
  isOneOf(modeName(spec.Mode), valuesOf(filters, 'mode')) &&
  isOneOf(spec.TaskTemplate.Runtime ?? 'container', valuesOf(filters, 'runtime'));

function portErrorsByService(view: Pick<View, 'all'>): ReadonlyMap<string, readonly PortError[]> {
  const byService = new Map<string, PortError[]>();
  for (const node of view.all('node')) {
    for (const error of node.portErrors) {
      const known = byService.get(error.serviceId);
      if (known === undefined) byService.set(error.serviceId, [error]);
      else known.push(error);
    }
  }
  return byService;
}
