import { BaleError } from '../../core/errors.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { specError } from '../../proto/engine/spec-error.js';
import { checkDependencies } from '../depends/dependency-check.js';
import { allotPorts } from '../endpoints/port-allocator.js';
import type { NodeObject, ServiceObject } from '../store/objects.js';
import type { Transaction, View } from '../store/store-types.js';
import { changeSpec } from '../updater/change-spec.js';
import { checkReferences } from './reference-check.js';

/** The ports of a spec as they are published. Throws BALE_PORT_IN_USE, BALE_PORT_DUPLICATE or BALE_PORT_NONE_FREE. */
export function allottedPorts(spec: ServiceSpec, view: Pick<View, 'all'>, serviceId?: string): ServiceObject['ports'] {
  const wanted = spec.EndpointSpec?.Ports ?? [];
  // The list of all services is not free while they are made by the hundred.
  if (wanted.length === 0) return [];
  const allotment = allotPorts(wanted, view.all('service'), serviceId);
  switch (allotment.kind) {
    case 'allotted':
      return allotment.ports;
    case 'refused':
      throw new BaleError(specError(allotment.reason).message, { kind: 'invalid', code: allotment.code });
  }
}

/** Gives a service another spec, which the updater rolls out. Throws, before any write, what it refers to and is not there. */
export function writeSpec(
  tx: Transaction,
  service: ServiceObject,
  spec: ServiceSpec,
  kind: 'update' | 'manual-rollback',
): void {
  checkReferences(tx, spec);
  checkDependencies(tx, spec);
  const ports = samePorts(service.spec, spec) ? service.ports : allottedPorts(spec, tx, service.id);
  const tasks = tx.tasksByService(service.id);
  const nodeOf = (id: string): NodeObject | undefined => tx.get('node', id);
  const { index, now } = tx;
  tx.put('service', changeSpec({ service, spec, ports, tasks, nodeOf, index, now, cause: { kind } }));
}

const samePorts = (a: ServiceSpec, b: ServiceSpec): boolean => a.EndpointSpec === b.EndpointSpec;
