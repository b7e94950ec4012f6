import { container, type Filling, ports, service } from './rule.js';

const ORDER = 'An absent `UpdateConfig.Order` means start-first where it can work';
const DEFAULTS = { Parallelism: 1, FailureAction: 'pause', Monitor: 5e9, MaxFailureRatio: 0 };
const lower = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), lower(inner)]))
    : value;

/** The least that a client may send. */
const BARE = {
  Name: 'new',
  TaskTemplate: { ContainerSpec: { Image: 'bb:1' } },
  Mode: { Replicated: { Replicas: 0 } },
} as const;

/** What an API makes of what was not sent: a service as it is shown with inserted defaults. */
export const FILLINGS: readonly Filling[] = [
  {
    section: '1.1',
    rule: 'keys in any case of letters',
    body: Object.fromEntries(
      Object.entries(service({ Mode: { Replicated: { Replicas: 0 } } })).map(([key, value]) => [
        key.toUpperCase(),
        lower(value),
      ]),
    ),
    shows: {
      Spec: { Name: 'new', TaskTemplate: { ContainerSpec: { Image: 'bb:1' } }, Mode: { Replicated: { Replicas: 0 } } },
    },
  },
  { section: '1.1', rule: 'labels are never null', body: service({ Labels: null }), shows: { Spec: { Labels: {} } } },
  {
    section: '1.2',
    rule: 'a name is made up',
    body: service({ Name: '', Labels: { unnamed: '' } }),
    shows: { Spec: { Name: /^[a-z]+_[a-z]+\d*$/ } },
  },
  {
    section: '1.2',
    rule: 'the mode is one replica',
    body: service({ Mode: {} }),
    shows: { Spec: { Mode: { Replicated: { Replicas: 1 } } } },
  },
  {
    section: '1.2',
    rule: 'replicated is one replica',
    body: service({ Mode: { Replicated: {} } }),
    shows: { Spec: { Mode: { Replicated: { Replicas: 1 } } } },
  },
  {
    section: '1.2',
    rule: 'a job runs once, one at a time',
    body: service({ Mode: { ReplicatedJob: {} } }),
    shows: { Spec: { Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } } } },
  },
  {
    section: '1.2',
    rule: 'a job ends when as many completed as run at a time',
    body: service({ Mode: { ReplicatedJob: { MaxConcurrent: 3 } } }),
    shows: { Spec: { Mode: { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 3 } } } },
  },
  {
    section: '1.3',
    rule: 'any end is restarted after 5 s, for ever',
    body: service(),
    shows: { Spec: { TaskTemplate: { RestartPolicy: { Condition: 'any', Delay: 5e9, MaxAttempts: 0 } } } },
  },
  {
    section: '1.3',
    rule: 'the runtime is container',
    body: service(),
    shows: { Spec: { TaskTemplate: { Runtime: 'container', ForceUpdate: 0 } } },
  },
  {
    section: '1.3',
    rule: 'resources and placement are empty',
    body: BARE,
    shows: { Spec: { TaskTemplate: { Resources: {}, Placement: {} } } },
  },
  {
    section: '1.4',
    rule: 'the names are those of the machine',
    body: BARE,
    shows: { Spec: { TaskTemplate: { ContainerSpec: { DNSConfig: {} } } } },
  },
  {
    section: '1.4',
    rule: 'the stop grace is 10 s',
    body: service(),
    shows: { Spec: { TaskTemplate: { ContainerSpec: { StopGracePeriod: 10e9 } } } },
  },
  {
    section: '1.4',
    rule: 'the isolation is default',
    body: container({ Isolation: '' }),
    shows: { Spec: { TaskTemplate: { ContainerSpec: { Isolation: 'default' } } } },
  },
  {
    section: '1.5',
    rule: 'updates go one by one, pause at a failure, watch for 5 s, and stop first',
    body: service(),
    shows: {
      Spec: {
        UpdateConfig: { ...DEFAULTS, Order: 'stop-first' },
        RollbackConfig: { ...DEFAULTS, Order: 'stop-first' },
      },
    },
    bale: { because: ORDER, shows: { Spec: { UpdateConfig: DEFAULTS, RollbackConfig: DEFAULTS } } },
  },
  {
    section: '1.5',
    rule: 'a sent configuration without parallelism is all at once',
    body: service({ UpdateConfig: { Delay: 1e9 } }),
    shows: { Spec: { UpdateConfig: { Parallelism: 0, Delay: 1e9 } } },
  },
  {
    section: '1.5',
    rule: 'a sent configuration pauses at a failure and watches for 5 s',
    body: service({ UpdateConfig: { Parallelism: 1 }, RollbackConfig: { Parallelism: 2, Monitor: 0 } }),
    shows: { Spec: { UpdateConfig: DEFAULTS, RollbackConfig: { ...DEFAULTS, Parallelism: 2 } } },
  },
  {
    section: '1.5',
    rule: 'a rollback configuration takes the failure action rollback',
    body: service({ RollbackConfig: { Parallelism: 1, FailureAction: 'rollback' } }),
    shows: { Spec: { RollbackConfig: { FailureAction: 'rollback' } } },
  },
  {
    section: '1.6',
    rule: 'the mode of endpoints is vip',
    body: service({ EndpointSpec: {} }),
    shows: { Spec: { EndpointSpec: { Mode: 'vip' } } },
  },
  {
    section: '1.6',
    rule: 'ports are tcp, in ingress mode',
    body: ports({ TargetPort: 80, PublishedPort: 8090 }),
    shows: {
      Spec: {
        EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8090, PublishMode: 'ingress' }] },
      },
    },
  },
];
