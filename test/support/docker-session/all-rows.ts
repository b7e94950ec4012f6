import { LOG_ROWS } from './log-rows.js';
import { NODE_END, NODE_PS, NODE_ROWS } from './node-rows.js';
import { PAYLOADS_END, PAYLOADS_IN_USE, PAYLOAD_ROWS } from './payload-rows.js';
import { CREATE_FLAGS, SERVICE_END, SERVICE_ROWS } from './service-rows.js';
import { STACK_ROWS } from './stack-rows.js';
import { isWait, rowOf, type Row, type Step } from './step.js';
import { SWARM_BEGIN, SWARM_END } from './swarm-rows.js';
import { UPDATE_ROWS } from './update-rows.js';

/** The whole session, from no swarm to no swarm. */
export const SESSION: readonly Step[] = [
  ...SWARM_BEGIN,
  ...NODE_ROWS,
  ...PAYLOAD_ROWS,
  ...SERVICE_ROWS,
  ...NODE_PS,
  ...CREATE_FLAGS,
  ...PAYLOADS_IN_USE,
  ...SERVICE_END,
  ...UPDATE_ROWS,
  ...LOG_ROWS,
  ...STACK_ROWS,
  ...PAYLOADS_END,
  ...NODE_END,
  ...SWARM_END,
];

export const ROWS: readonly Row[] = SESSION.flatMap((step) => (isWait(step) ? [] : [rowOf(step)]));
