import { BaleError, errorMessage } from '../../core/errors.js';
import type { Assignment } from '../../proto/assignment.js';
import { expandContainer } from '../../proto/engine/container-expansion.js';
import { mountFault } from '../../proto/engine/mount-rules.js';
import { expandTemplate, NO_LOOKUP, type TemplateContext } from '../../proto/engine/template-expansion.js';
import { parseTemplate } from '../../proto/engine/template.js';
import { containerName } from './container-labels.js';

/** The machine, as templates name it. */
export type NodeFacts = TemplateContext['Node'];

/** What the templates of a task can name. */
export const templateContext = (assignment: Assignment, node: NodeFacts): TemplateContext => ({
  Service: { ID: assignment.serviceId, Name: assignment.serviceName, Labels: assignment.serviceLabels },
  Node: node,
  Task: {
    ID: assignment.taskId,
    Name: containerName(assignment, node.ID),
    // The Engine's own rule: without a slot the node stands in its place.
    Slot: assignment.slot === 0 ? node.ID : String(assignment.slot),
  },
});

/**
 * The task with the templates of its container expanded for this node. Throws BALE_TEMPLATE_FAILED, which
 * names the field, also when a mount that comes of them breaks a rule: what the manager expanded was a sample.
 */
export function withTemplatesExpanded(assignment: Assignment, node: NodeFacts): Assignment {
  const { spec } = assignment;
  const container = expandContainer(spec.ContainerSpec, (text, { failure }) => {
    const template = parseTemplate(text, 'container');
    if (template.kind !== 'parsed') throw failed(failure, `template: ${template.reason}`);
    try {
      return expandTemplate(template.parts, templateContext(assignment, node), NO_LOOKUP);
    } catch (error) {
      throw failed(failure, `template: ${errorMessage(error)}`);
    }
  });
  if (container === spec.ContainerSpec) return assignment;
  const fault = mountFault(container.Mounts ?? []);
  if (fault !== undefined) throw failed('expanding mounts failed', fault);
  return { ...assignment, spec: { ...spec, ContainerSpec: container } };
}

const failed = (failure: string, reason: string): BaleError =>
  new BaleError(`${failure}: ${reason}`, { kind: 'invalid', code: 'BALE_TEMPLATE_FAILED' });
