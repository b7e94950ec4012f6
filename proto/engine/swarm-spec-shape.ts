import { decode } from './decode.js';
import { always, document, pointer, refused, struct } from './document-shape.js';
import { flag, limited, text, textMap, whole, type RefusalParams, type Shape } from './shape.js';
import { logDriverShape } from './log-driver-shape.js';
import { specError } from './spec-error.js';
import type { SwarmSpec } from './swarm-document.js';

const HOUR = 3_600e9;
const DAY = 24 * HOUR;

const DEFAULT_HEARTBEAT_PERIOD = 5e9;
const DEFAULT_CERTIFICATE_EXPIRY = 90 * DAY;
const SHORTEST_CERTIFICATE_EXPIRY = HOUR;
/** Beyond it dates do not fit a certificate's. */
const LONGEST_CERTIFICATE_EXPIRY = 100 * 365 * DAY;
const SHORTEST_HEARTBEAT_PERIOD = 100e6;

const NO_CONSENSUS = 'a bale cluster has one manager in this version, and no consensus between managers to tune';
const NO_CA_CHANGE = "the cluster's root is made at init and cannot be replaced in this version";

/** A number that clients echo back but that cannot be set: its default, or 0 for it. */
const fixed = (value: number): Shape<number> => ({
  schema: whole.schema
    .refine((given) => given === 0 || given === value, {
      params: { refused: NO_CONSENSUS, shown: true } satisfies RefusalParams,
    })
    .transform(() => value),
  limits: NO_CONSENSUS,
});

/** A duration where 0 is the default. */
const duration = (value: number): Shape<number> => ({
  schema: whole.schema.transform((given) => (given === 0 ? value : given)),
});

/** What this version does with each field of a SwarmSpec. Absent fields take the Engine's defaults. */
export const swarmSpecShape = document<SwarmSpec>(
  {
    Name: always({ ...text, emptyIsAbsent: true }, 'default'),
    Labels: always(textMap, {}),
    Orchestration: struct(document<SwarmSpec['Orchestration']>({ TaskHistoryRetentionLimit: always(whole, 5) })),
    Raft: struct(
      document<SwarmSpec['Raft']>({
        SnapshotInterval: always(fixed(10_000), 10_000),
        KeepOldSnapshots: always(fixed(0), 0),
        LogEntriesForSlowFollowers: always(fixed(500), 500),
        ElectionTick: always(fixed(10), 10),
        HeartbeatTick: always(fixed(1), 1),
      }),
    ),
    Dispatcher: struct(
      document<SwarmSpec['Dispatcher']>({
        HeartbeatPeriod: always(duration(DEFAULT_HEARTBEAT_PERIOD), DEFAULT_HEARTBEAT_PERIOD),
      }),
    ),
    CAConfig: struct(
      document<SwarmSpec['CAConfig']>({
        NodeCertExpiry: always(duration(DEFAULT_CERTIFICATE_EXPIRY), DEFAULT_CERTIFICATE_EXPIRY),
        ExternalCAs: refused(NO_CA_CHANGE),
        SigningCACert: refused(NO_CA_CHANGE),
        SigningCAKey: refused(NO_CA_CHANGE),
        ForceRotate: refused(NO_CA_CHANGE),
      }),
    ),
    TaskDefaults: struct(document<SwarmSpec['TaskDefaults']>({ LogDriver: pointer(logDriverShape) })),
    EncryptionConfig: struct(
      document<SwarmSpec['EncryptionConfig']>({
        AutoLockManagers: always(
          limited(flag, (lock) => !lock, "a manager's state is not encrypted at rest in this version"),
          false,
        ),
      }),
    ),
  },
  ({ Name }) => (Name === 'default' ? undefined : 'swarm spec must be named "default"'),
);

/** The body of `/swarm/update`. Throws BALE_REQUEST_INVALID or BALE_SPEC_INVALID (400), FieldRefused (501). */
export function decodeSwarmSpec(body: unknown): SwarmSpec {
  const spec = decode('SwarmSpec', swarmSpecShape, body);
  checkSwarm(spec);
  return spec;
}

/** SwarmKit's rules for a SwarmSpec, in its words, and bounds for what a timer or a date can hold. */
export function checkSwarm(spec: SwarmSpec): void {
  const expiry = spec.CAConfig.NodeCertExpiry ?? DEFAULT_CERTIFICATE_EXPIRY;
  if (expiry < SHORTEST_CERTIFICATE_EXPIRY) throw specError('minimum certificate expiry time is: 1h0m0s');
  if (expiry > LONGEST_CERTIFICATE_EXPIRY) throw specError('maximum certificate expiry time is: 876000h0m0s');
  const period = spec.Dispatcher.HeartbeatPeriod ?? DEFAULT_HEARTBEAT_PERIOD;
  if (period < 0) throw specError('heartbeat time period cannot be a negative duration');
  if (period < SHORTEST_HEARTBEAT_PERIOD || period > DAY) {
    throw specError('heartbeat time period must be between 100ms and 24h0m0s');
  }
}
