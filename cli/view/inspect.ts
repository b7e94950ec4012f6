import { renderTemplate } from './template.js';

/** `inspect`: a JSON array, or one template line an object. */
export function renderInspect(documents: readonly unknown[], format: string | undefined): string {
  if (format === undefined || format === '' || format === 'json') return `${JSON.stringify(documents, null, 4)}\n`;
  return documents.map((document) => `${renderTemplate(format, document)}\n`).join('');
}
