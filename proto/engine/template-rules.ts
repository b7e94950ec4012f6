import { errorMessage } from '../../core/errors.js';
import { expandContainer } from './container-expansion.js';
import type { ContainerSpec } from './container-spec.js';
import { FieldRefused } from './decode.js';
import { specError } from './spec-error.js';
import { expandTemplate, NO_LOOKUP, type TemplateContext } from './template-expansion.js';
import { parseTemplate } from './template.js';

/** A task that could be, with the names that SwarmKit makes up for its own dry run. */
const sampleContext = (labels: Readonly<Record<string, string>>): TemplateContext => ({
  Service: { ID: 'serviceid', Name: 'servicename', Labels: labels },
  Node: { ID: 'nodeid', Hostname: 'nodehostname', Platform: { Architecture: 'architecture', OS: 'os' } },
  Task: { ID: 'taskid', Name: 'taskname', Slot: '1' },
});

/**
 * A ContainerSpec as one task of a service with these labels would have it, so that what is wrong with
 * its templates, or with what they make, is told at once and not by a node. Throws BALE_SPEC_INVALID
 * (400) in SwarmKit's words, FieldRefused (501) for what only Go's templates have.
 */
export function dryExpansion(container: ContainerSpec, labels: Readonly<Record<string, string>>): ContainerSpec {
  return expandContainer(container, (text, { path, failure }) => {
    const template = parseTemplate(text, 'container');
    switch (template.kind) {
      case 'malformed':
        throw specError(`${failure}: template: ${template.reason}`);
      case 'unsupported':
        throw new FieldRefused(`A template in TaskTemplate.ContainerSpec.${path}: ${template.what}`, template.reason);
      case 'parsed':
        try {
          return expandTemplate(template.parts, sampleContext(labels), NO_LOOKUP);
        } catch (error) {
          throw specError(`${failure}: template: ${errorMessage(error)}`);
        }
    }
  });
}
