import { REASONS } from './reasons.js';
import type { Step } from './step.js';

const spec = (...names: readonly string[]): readonly Step[] =>
  names.flatMap((name) => [`service inspect -f '{{json .Spec}}' ${name}`, `service inspect --pretty ${name}`]);

/** Services that run: what is shown of them, and what is refused. */
export const SERVICE_ROWS: readonly Step[] = [
  'service ls',
  'service create --name web --replicas 2 -p {p}8080:80 --label x=y -e A=b --limit-memory 64m --update-monitor 100ms {image}',
  'service create -q --name spot --container-label part=7 --constraint node.hostname==h2 --update-monitor 100ms {image}',
  'service ls',
  'service ls -f name=nowhere',
  'service ls --filter mode=replicated -f label=x=y --format json',
  'service ls --quiet -f name=web',
  'service ls -f shoe=size',
  "service ps web --format '{{.Name}} {{.Image}} {{.DesiredState}} {{.CurrentState}} {{.Error}} {{.Ports}}'",
  'service ps spot',
  'service ps --no-trunc spot',
  "service ps --no-resolve --format '{{.Image}} {{.DesiredState}}' spot",
  'service ps -f desired-state=running -f node=h2 -q spot',
  'service ps --filter name=spot.1 spot',
  'service ps -f shoe=size spot',
  'service ps nowhere',
  'service ps spot nowhere',
  {
    run: "service inspect -f '{{json .Spec}}' web",
    differs: { why: REASONS.openOrder, bale: /"RollbackConfig":\{[^}]*"Order":""\}/ },
  },
  { run: 'service inspect --pretty web', differs: { why: REASONS.openOrder, bale: /Rollback order:\n/ } },
  "service inspect --format '{{json .Endpoint.Spec}} {{json .Endpoint.Ports}}' web",
  'service inspect nowhere',
  'service create --name web {image}',
  "service create --name 'b ad' {image}",
  'service create -p {p}8080:80 {image}',
  'service create -p 81:80 -p 81:81 {image}',
  'service create --limit-memory 1m {image}',
  'service create --no-resolve-image UPPER:x:y',
  'service create --mode circle {image}',
  'service create -d --mode global --replicas 2 {image}',
  {
    run: 'service create --constraint nonsense {image}',
    differs: { why: REASONS.code, bale: /code = InvalidArgument desc = constraint expected one operator from ==, !=/ },
  },
  {
    run: 'service create --restart-condition maybe {image}',
    differs: { why: REASONS.value, bale: /RestartPolicy.Condition: must be one of none, on-failure, any, got "maybe"/ },
  },
  'service create --secret nowhere {image}',
  'service create --config nowhere {image}',
  'service scale web=3',
  'service scale -d nowhere=1 web=2',
  'service scale web=-1',
  'service scale web',
  'service update --detach --replicas 3 web',
  'service update -d --label-add z=1 web',
  'service update nowhere',
  'service update -q --force spot',
  "inspect -f '{{.Spec.Name}} {{.Spec.Labels}} {{.Spec.Mode.Replicated.Replicas}}' web",
  'service create --name every --mode global --update-order stop-first --rollback-order stop-first --update-monitor 100ms {image}',
  "service ps -f node=h2 every --format '{{.Image}} {{.Node}} {{.DesiredState}} {{.CurrentState}}'",
  ...spec('every'),
  'service scale every=2',
  'service create --name job --mode replicated-job --replicas 3 --max-concurrent 2 {image} true',
  "service ps job --format '{{.Image}} {{.DesiredState}} {{.CurrentState}}'",
  {
    run: "service inspect -f '{{json .Spec}}' job",
    differs: { why: REASONS.jobConfig, bale: /"TotalCompletions":3\}\},"EndpointSpec"/ },
  },
  { run: 'service inspect --pretty job', differs: { why: REASONS.jobConfig, bale: /Placement:\nContainerSpec:/ } },
  "service inspect -f '{{.JobStatus.JobIteration.Index}}' job",
  'service update -d --max-concurrent 3 job',
  'service update --image bale-test:none --no-resolve-image -d job',
  'service create --name once --mode global-job {image} true',
  'service update --force once',
  "service inspect -f '{{json .Spec.Mode}} {{.JobStatus.JobIteration.Index}}' once",
  'service ls',
  "service ls -f mode=global --format '{{.Name}} {{.Mode}}'",
  { run: 'service rollback job', differs: { why: REASONS.jobRollback, bale: /exit code 0\njob\n[^]*job complete/ } },
  {
    run: 'service create --mode global-job -p 9000:80 {image}',
    refused: 'EndpointSpec.Ports is not implemented yet: jobs publish no ports',
  },
  { run: 'service create --endpoint-mode dnsrr {image}', refused: 'EndpointSpec.Mode "dnsrr" is not implemented yet' },
  {
    run: 'service create -p 9000:80/sctp {image}',
    refused: 'EndpointSpec.Ports[0].Protocol "sctp" is not implemented yet',
  },
  { run: 'service create --network host {image}', refused: 'TaskTemplate.Networks is not implemented' },
  { run: 'service create --credential-spec file://x.json {image}', refused: 'CredentialSpec is not implemented' },
  { run: 'service create --mount type=npipe,source=x,target=/y {image}', refused: 'Type' },
  { run: 'network create -d overlay ov', refused: 'overlay networks are not implemented in this version' },
];

/** Each flag of `service create`, in services that have no tasks; what they became. */
export const CREATE_FLAGS: readonly Step[] = [
  "service create -d --name process --replicas 0 --update-order stop-first --rollback-order stop-first --cap-add NET_ADMIN --cap-drop CHOWN --entrypoint '/bin/sh -c' --env B=c --env-file {dir}/env --group app --hostname 'n-{{.Task.Slot}}' --init --isolation default --read-only --stop-grace-period 3s --stop-signal SIGINT --sysctl net.ipv4.ip_unprivileged_port_start=1000 --tty --ulimit nofile=100:200 --user app --workdir /tmp --container-label c=d {image} 'sleep 100'",
  'service create -d --name wires --replicas 0 --update-order stop-first --rollback-order stop-first --dns 10.0.0.1 --dns-option ndots:2 --dns-search a.test --host db:10.0.0.5 --publish mode=host,target=80,published={p}8081 -p {p}8082:53/udp --endpoint-mode vip {image}',
  "service create -d --name health --replicas 0 --update-order stop-first --rollback-order stop-first --health-cmd 'true it' --health-interval 2s --health-timeout 1s --health-retries 2 --health-start-period 3s {image}",
  'service create -d --name nohealth --replicas 0 --update-order stop-first --rollback-order stop-first --no-healthcheck --with-registry-auth -l x=y -t -u 0 -w / {image}',
  'service create -d --name rules --replicas 0 --restart-condition on-failure --restart-delay 2s --restart-max-attempts 3 --restart-window 10s --update-delay 1s --update-failure-action continue --update-max-failure-ratio 0.5 --update-monitor 2s --update-order stop-first --update-parallelism 2 --rollback-delay 1s --rollback-failure-action continue --rollback-max-failure-ratio 0.5 --rollback-monitor 2s --rollback-order stop-first --rollback-parallelism 2 {image}',
  'service create -d --name place --replicas 0 --update-order stop-first --rollback-order stop-first --constraint node.role==worker --placement-pref spread=node.labels.zone --replicas-max-per-node 1 --reserve-cpu 0.1 --reserve-memory 16m --limit-cpu 0.5 --limit-memory 64m --limit-pids 50 --generic-resource gpu=1 {image}',
  'service create -d --name files --replicas 0 --update-order stop-first --rollback-order stop-first --secret source=secret-two,target=two,uid=1,gid=2,mode=0400 --config source=config-two,target=/etc/two,mode=0400 --mount type=volume,source=v,target=/v,volume-label=a=b --mount type=bind,source=/tmp,target=/b,readonly --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777 --log-driver json-file --log-opt max-size=1m {image}',
  ...spec('process', 'wires', 'health', 'nohealth', 'rules', 'place', 'files'),
  'service create --oom-score-adj 100 {image}',
  'service create --health-start-interval 1s --health-cmd true {image}',
];

export const SERVICE_END: readonly Step[] = [
  'service rm every job once',
  'service rm web nowhere',
  'service rm process wires health nohealth rules place spot',
  'service ls',
];
