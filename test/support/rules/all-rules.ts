import { CONTAINER_RULES } from './container-rules.js';
import { PAYLOAD_RULES } from './payload-rules.js';
import type { Rule } from './rule.js';
import { SWARM_RULES } from './swarm-rules.js';
import { TASK_RULES } from './task-rules.js';
import { VERSION_RULES } from './version-rules.js';

/** One request for each rule of the Engine's objects. */
export const RULES: readonly Rule[] = [
  ...TASK_RULES,
  ...CONTAINER_RULES,
  ...SWARM_RULES,
  ...PAYLOAD_RULES,
  ...VERSION_RULES,
];
