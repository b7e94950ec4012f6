import { create, invalid, type Rule, service, task, UNMARSHALLED } from './rule.js';
import { NAMED, ROLLBACK_CHECKED, WRONG_VALUE } from './reasons.js';

/** Sections 1.2 and 1.3: a service and its tasks. */
export const TASK_RULES: readonly Rule[] = [
  // 1.2 ServiceSpec
  create('1.2', 'a service has one mode', service({ Mode: { Replicated: { Replicas: 1 }, Global: {} } }), {
    status: 400,
    message: 'must specify only one service mode',
  }),
  create(
    '1.2',
    'jobs carry no UpdateConfig',
    service({ Mode: { ReplicatedJob: {} }, UpdateConfig: { Parallelism: 1 } }),
    invalid('Jobs may not have an update config'),
  ),
  create(
    '1.2',
    'jobs carry no UpdateConfig, global ones neither',
    service({ Mode: { GlobalJob: {} }, UpdateConfig: { Parallelism: 1 } }),
    invalid('Jobs may not have an update config'),
  ),
  create(
    '1.2',
    'networks at service level are looked up',
    service({ Networks: [{ Target: 'nosuch' }] }),
    { status: 500, message: 'network nosuch not found' },
    { status: 501, message: /^Networks is not implemented yet: /, because: NAMED },
  ),

  // 1.3 TaskSpec
  create(
    '1.3',
    'a PluginSpec is not for containers',
    task({ Runtime: 'container', PluginSpec: { Name: 'p', Remote: 'r' } }),
    { status: 201, message: '' },
    { status: 501, message: /^TaskTemplate\.PluginSpec is not implemented yet: /, because: NAMED },
  ),
  create(
    '1.3',
    'a network attachment is no service',
    task({ Runtime: 'attachment', NetworkAttachmentSpec: { ContainerID: 'c' } }),
    { status: 400, message: 'unsupported runtime' },
    { status: 501, message: /^TaskTemplate\.NetworkAttachmentSpec is not implemented yet: /, because: NAMED },
  ),
  create(
    '1.3',
    'plugins are global',
    { ...service(), TaskTemplate: { Runtime: 'plugin', PluginSpec: { Name: 'p', Remote: 'r' } } },
    { status: 400, message: 'plugins must not use replicated mode' },
    { status: 501, message: /^TaskTemplate\.PluginSpec is not implemented yet: /, because: NAMED },
  ),
  create(
    '1.3',
    'a runtime has a known name',
    task({ Runtime: 'jar' }),
    { status: 400, message: 'unsupported runtime' },
    {
      status: 400,
      message: /TaskTemplate\.Runtime: must be one of container, plugin, attachment, got "jar"$/,
      because: WRONG_VALUE,
    },
  ),
  create(
    '1.3',
    'CPU limit of at least 0.001',
    task({ Resources: { Limits: { NanoCPUs: 999_999 } } }),
    invalid('invalid cpu value 0.000999999: Must be at least 0.001'),
  ),
  create(
    '1.3',
    'CPU limit not negative',
    task({ Resources: { Limits: { NanoCPUs: -1e9 } } }),
    invalid('invalid cpu value -1: Must be at least 0.001'),
  ),
  create(
    '1.3',
    'CPU reservation of at least 0.001',
    task({ Resources: { Reservations: { NanoCPUs: 1 } } }),
    invalid('invalid cpu value 1e-09: Must be at least 0.001'),
  ),
  create(
    '1.3',
    'memory limit of at least 4 MiB',
    task({ Resources: { Limits: { MemoryBytes: 4_194_303 } } }),
    invalid('invalid memory value 4194303: Must be at least 4MiB'),
  ),
  create(
    '1.3',
    'memory reservation of at least 4 MiB',
    task({ Resources: { Reservations: { MemoryBytes: 1 } } }),
    invalid('invalid memory value 1: Must be at least 4MiB'),
  ),
  create(
    '1.3',
    'restart delay not negative',
    task({ RestartPolicy: { Delay: -1 } }),
    invalid('TaskSpec: restart-delay cannot be negative'),
  ),
  create(
    '1.3',
    'restart window not negative',
    task({ RestartPolicy: { Window: -1 } }),
    invalid('TaskSpec: restart-window cannot be negative'),
  ),
  create(
    '1.3',
    'restart condition none, on-failure or any',
    task({ RestartPolicy: { Condition: 'maybe' } }),
    { status: 400, message: 'invalid RestartCondition: "maybe"' },
    {
      status: 400,
      message: /RestartPolicy\.Condition: must be one of none, on-failure, any, got "maybe"$/,
      because: WRONG_VALUE,
    },
  ),
  create(
    '1.3',
    'update delay not negative',
    service({ UpdateConfig: { Delay: -1 } }),
    invalid('TaskSpec: update-delay cannot be negative'),
  ),
  create(
    '1.3',
    'update monitor not negative',
    service({ UpdateConfig: { Monitor: -1 } }),
    invalid('TaskSpec: update-monitor cannot be negative'),
  ),
  create(
    '1.3',
    'failure ratio of an update not below 0',
    service({ UpdateConfig: { MaxFailureRatio: -0.1 } }),
    invalid('TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1'),
  ),
  create(
    '1.3',
    'failure ratio of an update not above 1',
    service({ UpdateConfig: { MaxFailureRatio: 1.1 } }),
    invalid('TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1'),
  ),
  create(
    '1.3',
    'rollback delay not negative',
    service({ RollbackConfig: { Delay: -1 } }),
    { status: 201, message: '' },
    { ...invalid('TaskSpec: update-delay cannot be negative'), because: ROLLBACK_CHECKED },
  ),
  create(
    '1.3',
    'rollback monitor not negative',
    service({ RollbackConfig: { Monitor: -1 } }),
    { status: 201, message: '' },
    { ...invalid('TaskSpec: update-monitor cannot be negative'), because: ROLLBACK_CHECKED },
  ),
  create(
    '1.3',
    'failure ratio of a rollback from 0 to 1',
    service({ RollbackConfig: { MaxFailureRatio: 2 } }),
    { status: 201, message: '' },
    {
      ...invalid('TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1'),
      because: ROLLBACK_CHECKED,
    },
  ),
  create(
    '1.3',
    'replicas fit a signed number of 64 bits',
    service({ Mode: { Replicated: { Replicas: 2 ** 63 } } }),
    invalid('Number of replicas must be non-negative'),
  ),
  create(
    '1.3',
    'completions fit a signed number of 64 bits',
    service({ Mode: { ReplicatedJob: { TotalCompletions: 2 ** 63 } } }),
    invalid('Total completed jobs must not be negative'),
  ),
  create(
    '1.3',
    'concurrent tasks of a job fit a signed number of 64 bits',
    service({ Mode: { ReplicatedJob: { MaxConcurrent: 2 ** 63 } } }),
    invalid('Maximum concurrent jobs must not be negative'),
  ),
  create(
    '1.3',
    'replicas are not negative',
    service({ Mode: { Replicated: { Replicas: -1 } } }),
    { status: 400, message: UNMARSHALLED },
    { status: 400, message: /Mode\.Replicated\.Replicas: must be at least 0, got -1$/, because: WRONG_VALUE },
  ),
];
