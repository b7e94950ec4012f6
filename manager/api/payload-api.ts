import { timestamp } from '../../core/clock.js';
import { newId } from '../../core/id.js';
import type { Logger } from '../../core/logger.js';
import type { HostPower } from '../../proto/engine/host-options.js';
import type { PayloadDocument, PayloadVersionDocument, RotationDocument } from '../../proto/engine/payload-document.js';
import { specError } from '../../proto/engine/spec-error.js';
import type { Vault } from '../secrets/vault.js';
import { newestOf, referencedIds, referTo, usersOf, versionsOf } from '../secrets/versions.js';
import type { PayloadObject } from '../store/objects.js';
import type { Store, View } from '../store/store-types.js';
import { inUse, outOfSequence, parseVersion, payloadConflict } from './api-errors.js';
import { acceptFilters, hasLabels, hasPrefix, isOneOf, valuesOf } from './filters.js';
import { checkPower } from './host-power.js';
import { lookUp } from './lookup.js';
import { payloadDocument } from './payload-document.js';
import { writeSpec } from './spec-write.js';
import type { Filters, PayloadVerbs } from './swarm-api.js';

type Kind = 'secret' | 'config';

const FILTERS = ['id', 'label', 'name', 'names'];

/**
 * `/secrets` or `/configs`. Data is sealed before it comes near the store, and no message, log line
 * or error repeats it.
 */
export class PayloadApi implements PayloadVerbs {
  readonly #kind: Kind;
  readonly #store: Store;
  readonly #vault: Vault;
  readonly #allowed: ReadonlySet<HostPower>;
  readonly #logger: Logger;

  /** `allowed`: power over nodes that a service which a rotation rolls may give to its containers. */
  constructor(kind: Kind, store: Store, vault: Vault, allowed: ReadonlySet<HostPower>, logger: Logger) {
    this.#kind = kind;
    this.#store = store;
    this.#vault = vault;
    this.#allowed = allowed;
    this.#logger = logger;
  }

  list(filters: Filters): readonly PayloadDocument[] {
    acceptFilters(filters, FILTERS);
    return newestOf(this.#store.view.all(this.#kind))
      .filter((row) => matches(row, filters))
      .map((row) => this.#document(row));
  }

  inspect(id: string): PayloadDocument {
    return this.#document(this.#find(this.#store.view, id));
  }

  async create(body: unknown): Promise<{ readonly ID: string }> {
    const { decodePayload } = await loadDecoder();
    const { spec, data } = decodePayload(this.#kind, body);
    const id = newId();
    const sealed = this.#vault.seal({ kind: this.#kind, id }, data);
    await this.#store.update((tx) => {
      if (versionsOf(tx.all(this.#kind), spec.Name).length > 0) throw payloadConflict(this.#kind, spec.Name);
      tx.put(this.#kind, { id, spec, dataVersion: 1, sealed });
    });
    this.#logger.info({ id, name: spec.Name }, `${this.#kind} created`);
    return { ID: id };
  }

  async update(id: string, version: string | undefined, body: unknown): Promise<void> {
    const index = parseVersion(this.#kind, version);
    const { decodePayloadUpdate } = await loadDecoder();
    const { spec, data } = decodePayloadUpdate(this.#kind, body);
    await this.#store.update((tx) => {
      const row = this.#find(tx, id);
      const sameData = data === undefined || data.equals(this.#open(row));
      if (spec.Name !== row.spec.Name || !sameData) throw specError('only updates to Labels are allowed');
      if (index !== row.version) throw outOfSequence();
      tx.put(this.#kind, { ...row, spec: { ...row.spec, Labels: spec.Labels } });
    });
  }

  async remove(id: string): Promise<void> {
    const removed = await this.#store.update((tx) => {
      const { Name } = this.#find(tx, id).spec;
      const rows = versionsOf(tx.all(this.#kind), Name);
      const users = usersOf(this.#kind, idsOf(rows), tx.all('service')).map(({ spec }) => spec.Name);
      if (users.length > 0) throw inUse(this.#kind, Name, users);
      for (const row of rows) tx.delete(this.#kind, row.id);
      return { name: Name, versions: rows.length };
    });
    this.#logger.info(removed, `${this.#kind} removed`);
  }

  versions(id: string): readonly PayloadVersionDocument[] {
    const { view } = this.#store;
    const services = view.all('service');
    return versionsOf(view.all(this.#kind), this.#find(view, id).spec.Name).map((row) => ({
      ID: row.id,
      dataVersion: row.dataVersion,
      CreatedAt: timestamp(row.createdAt),
      services: services
        .filter(({ spec }) => referencedIds(this.#kind, spec).includes(row.id))
        .map(({ spec }) => spec.Name),
    }));
  }

  async rotate(id: string, body: unknown): Promise<RotationDocument> {
    const { decodePayloadUpdate, checkData } = await loadDecoder();
    const { data = Buffer.alloc(0) } = decodePayloadUpdate(this.#kind, body);
    const kind = this.#kind;
    const newRowId = newId();
    const sealed = this.#vault.seal({ kind, id: newRowId }, data);
    const rotation = await this.#store.update((tx): RotationDocument => {
      const rows = versionsOf(tx.all(kind), this.#find(tx, id).spec.Name);
      const [newest] = rows;
      if (newest === undefined) return { ID: '', dataVersion: 0, services: [] };
      checkData(kind, newest.spec, data);
      const isNew = !data.equals(this.#open(newest));
      const target = isNew ? newRowId : newest.id;
      const dataVersion = newest.dataVersion + (isNew ? 1 : 0);
      const firstCreatedAt = newest.firstCreatedAt ?? newest.createdAt;
      if (isNew) tx.put(kind, { id: target, spec: newest.spec, dataVersion, firstCreatedAt, sealed });
      const older = new Set([...idsOf(rows)].filter((one) => one !== target));
      const services = tx.all('service').filter(({ spec }) => referencedIds(kind, spec).some((one) => older.has(one)));
      // Before any is written: a rollout that cannot end would leave a service half changed.
      for (const service of services) checkPower(service.spec, this.#allowed);
      for (const service of services) writeSpec(tx, service, referTo(kind, service.spec, older, target), 'update');
      return { ID: target, dataVersion, services: services.map(({ spec }) => spec.Name) };
    });
    this.#logger.info(rotation, `${kind} rotated`);
    return rotation;
  }

  #document(row: PayloadObject): PayloadDocument {
    return payloadDocument(row, this.#kind === 'config' ? this.#open(row) : undefined);
  }

  #open(row: PayloadObject): Buffer {
    return this.#vault.open({ kind: this.#kind, id: row.id }, row.sealed);
  }

  #find(view: Pick<View, 'get' | 'all'>, wanted: string): PayloadObject {
    return lookUp(this.#kind, wanted, {
      byId: view.get(this.#kind, wanted),
      byName: () => versionsOf(view.all(this.#kind), wanted).slice(0, 1),
      all: () => newestOf(view.all(this.#kind)),
    });
  }
}

/** The validation library costs 100 ms and 15 MB: a manager that restarts does not wait for it. */
const loadDecoder = () => import('../../proto/engine/payload-spec-shape.js');

const idsOf = (rows: readonly PayloadObject[]): ReadonlySet<string> => new Set(rows.map(({ id }) => id));

const matches = ({ id, spec }: PayloadObject, filters: Filters): boolean =>
  hasPrefix(id, valuesOf(filters, 'id')) &&
  hasPrefix(spec.Name, valuesOf(filters, 'name')) &&
  isOneOf(spec.Name, valuesOf(filters, 'names')) &&
  hasLabels(spec.Labels, valuesOf(filters, 'label'));
