import { REASONS } from './reasons.js';
import type { Step } from './step.js';

const both = (noun: 'secret' | 'config'): readonly Step[] => [
  `${noun} ls`,
  { run: `${noun} create --label k=v ${noun}-one -`, input: 's3cr3t' },
  { run: `${noun} create ${noun}-one -`, input: 's3cr3t' },
  `${noun} create -l part=7 ${noun}-two {dir}/payload`,
  `${noun} create ${noun}-none {dir}/nothing`,
  { run: `${noun} create ${noun}-empty -`, input: '' },
  { run: `${noun} create 'b ad' -`, input: 'x' },
  { run: `${noun} create --template-driver golang ${noun}-three -`, input: '{{.Node.Hostname}}' },
  {
    run: `${noun} create --template-driver jinja ${noun}-four -`,
    input: 'x',
    refused: 'Templating.Name "jinja" is not implemented yet',
  },
  `${noun} ls --format '{{.Name}} {{.Labels}} {{.CreatedAt}}'`,
  `${noun} ls -f name=${noun}-t --filter label=part=7`,
  `${noun} ls -q -f name=${noun}-one`,
  `${noun} ls -f label=nothing`,
  `${noun} ls -f shoe=size`,
  { run: `${noun} inspect ${noun}-one`, differs: { why: REASONS.dataVersion, bale: /"dataVersion": 1\n/ } },
  `${noun} inspect --pretty ${noun}-one`,
  `${noun} inspect --format '{{json .Spec}}' ${noun}-one ${noun}-two ${noun}-nine`,
  `${noun} inspect -f '{{json .Spec}}' ${noun}-three`,
  `${noun} rm ${noun}-three ${noun}-nine`,
  `${noun} ls -q -f name=${noun}-three`,
];

export const PAYLOAD_ROWS: readonly Step[] = [
  ...both('secret'),
  ...both('config'),
  { run: 'secret create --driver vault outside', refused: 'Driver' },
];

/** Payloads that a service has. */
export const PAYLOADS_IN_USE: readonly Step[] = ['secret rm secret-two', 'config rm config-two'];

export const PAYLOADS_END: readonly Step[] = [
  'secret rm secret-one secret-two',
  'config rm config-one config-two',
  'secret ls',
  'config ls',
];
