import { BaleError } from '../../core/errors.js';
import { newId } from '../../core/id.js';
import type { Logger } from '../../core/logger.js';
import { FieldRefused } from '../../proto/engine/decode.js';
import type { PortError } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { ServiceMode, ServiceSpec } from '../../proto/engine/service-spec.js';
import { specError } from '../../proto/engine/spec-error.js';
import { allotPorts } from '../endpoints/port-allocator.js';
import type { ServiceObject } from '../store/objects.js';
import type { Store, View } from '../store/store-types.js';
import { nameConflict, parseVersion, unimplemented } from './api-errors.js';
import { acceptFilters, hasLabels, hasPrefix, isOneOf, valuesOf } from './filters.js';
import { findService } from './lookup.js';
import { randomName } from './random-name.js';
import { decideServiceUpdate } from './service-change.js';
import { serviceDocument, serviceStatus } from './service-document.js';
import type { Filters, SwarmApi } from './swarm-api.js';

const FILTERS = ['id', 'label', 'mode', 'name', 'runtime'];

type ServiceVerbs = Pick<SwarmApi, 'createService' | 'services' | 'service' | 'updateService' | 'removeService'>;

/** `/services`. Each change is one transaction: a request that fails leaves nothing behind. */
export class ServiceApi implements ServiceVerbs {
  readonly #store: Store;
  readonly #logger: Logger;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
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
    });
  }

  async updateService(
    id: string,
    version: string | undefined,
    body: unknown,
    options: { readonly rollback: string | undefined },
  ): Promise<{ readonly Warnings: null }> {
    const index = parseVersion('service', version);
    refuseRollback(options.rollback);
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
          tx.put('service', { ...service, spec: change.spec, previousSpec: service.spec });
      }
      return { service: service.id, reason: change.reason };
    });
    this.#logger.info(done, 'service updated');
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

function allottedPorts(spec: ServiceSpec, view: Pick<View, 'all'>): ServiceObject['ports'] {
  const allotment = allotPorts(spec.EndpointSpec?.Ports ?? [], view.all('service'));
  switch (allotment.kind) {
    case 'allotted':
      return allotment.ports;
    case 'refused':
      throw new BaleError(specError(allotment.reason).message, { kind: 'invalid', code: allotment.code });
  }
}

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

function refuseRollback(rollback: string | undefined): void {
  if (rollback === undefined || rollback === '') return;
  if (rollback !== 'previous') {
    throw new BaleError(`unrecognized rollback option ${JSON.stringify(rollback)}`, {
      kind: 'invalid',
      code: 'BALE_ROLLBACK_INVALID',
    });
  }
  throw new FieldRefused('rollback', 'rolling updates are not implemented in this version');
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
