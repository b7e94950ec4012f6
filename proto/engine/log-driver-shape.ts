import { document, field } from './document-shape.js';
import { text, textMap } from './shape.js';
import type { LogDriver } from './task-spec.js';

/** The log driver of a task, or the default of a swarm. */
export const logDriverShape = document<LogDriver>({ Name: field(text), Options: field(textMap) });
