import type { Step } from './step.js';

/** Stacks: bale has no overlay networks, so that one is made here of services with a stack's labels. */
export const STACK_ROWS: readonly Step[] = [
  'stack ls',
  'stack ps nothing',
  'stack services nothing',
  'stack rm nothing',
  'stack config --compose-file {dir}/compose.yml',
  'stack config -c {dir}/compose.yml --skip-interpolation',
  {
    run: 'stack deploy --compose-file {dir}/compose.yml --detach --prune --quiet --resolve-image never --with-registry-auth site',
    refused: 'overlay networks are not implemented in this version',
  },
  'stack deploy -c {dir}/nothing.yml site',
  'service create -d --name site_page --label com.docker.stack.namespace=site --label com.docker.stack.image={image} --container-label com.docker.stack.namespace=site --constraint node.hostname==h2 -p {p}8085:80 {image}',
  { wait: 'tasks', of: 'site_page', state: 'running', count: 1 },
  'stack ls',
  "stack ls --format '{{.Name}} {{.Services}}'",
  'stack ps site',
  'stack ps --no-trunc site',
  "stack ps --no-resolve --format '{{.Image}} {{.CurrentState}}' site",
  'stack ps -q --filter name=site_page site',
  'stack services site',
  'stack services --quiet --filter name=site_page site',
  "stack services --format '{{.Name}} {{.Replicas}} {{.Ports}}' site",
  'stack rm --detach=false site',
  'stack ls',
];
