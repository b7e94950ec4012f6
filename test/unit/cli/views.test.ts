import { describe, expect, test } from 'vitest';
import { renderInspect } from '../../../cli/view/inspect.js';
import { renderList, type Column } from '../../../cli/view/list.js';
import { convergence } from '../../../cli/view/service-progress.js';
import { span } from '../../../cli/view/relative-time.js';
import { table } from '../../../cli/view/table.js';
import { renderTemplate } from '../../../cli/view/template.js';
import type { TaskDocument } from '../../../proto/engine/task-document.js';
import { timestamp } from '../../../core/clock.js';
import { serviceDocument, taskDocument } from '../../support/documents.js';
import type { DesiredState, TaskState } from '../../../proto/engine/task-state.js';

describe('templates', () => {
  const data = { ID: 'abc', Spec: { Name: 'web', Labels: { a: '1' } }, Ports: [{ P: 80 }, { P: 81 }], None: null };

  test.each([
    ['{{.ID}}: {{.Spec.Name}}', 'abc: web'],
    ['{{json .Spec}}', '{"Name":"web","Labels":{"a":"1"}}'],
    ['{{range .Ports}}{{.P}} {{end}}', '80 81 '],
    ['{{if .Spec.Labels}}yes{{else}}no{{end}}', 'yes'],
    ['{{if .None}}yes{{else}}no{{end}}', 'no'],
    ['{{upper .ID}} {{len .Ports}} {{index .Spec.Labels "a"}}', 'ABC 2 1'],
    ['{{.ID | upper}} {{json .Spec.Name|len}}', 'ABC 5'],
    ['{{.Missing}}', '<no value>'],
    ['{{.Spec.Labels}}', 'map[a:1]'],
    ['a\\tb', 'a\tb'],
    ['{{.Spec.constructor}}', '<no value>'],
  ])('%s', (template, text) => {
    expect(renderTemplate(template, data)).toBe(text);
  });

  test.each([
    ['{{frobnicate .ID}}', 'function "frobnicate" is not defined'],
    ['{{json ID}}', 'write .ID'],
    ['{{range .Ports}}', 'not closed'],
    ['{{}}', 'an action is empty'],
    ['{{.ID', 'an action is not closed by }}'],
    ['id: {{.ID}} {{.Spec', 'an action is not closed by }}'],
  ])('%s is refused', (template, reason) => {
    expect(() => renderTemplate(template, data)).toThrow(reason);
  });
});

describe('lists', () => {
  const columns: readonly Column<{ id: string; name: string }>[] = [
    { field: 'ID', heading: 'ID', value: ({ id }) => id },
    { field: 'Name', heading: 'NAME', value: ({ name }) => name },
  ];
  const rows = [
    { id: '1', name: 'web' },
    { id: 'a-long-identifier', name: 'db' },
  ];

  test('a table pads like docker: three spaces, at least ten wide', () => {
    expect(renderList(columns, rows, {})).toBe(
      'ID                  NAME\n1                   web\na-long-identifier   db\n',
    );
    expect(
      table([
        ['A', 'B'],
        ['1', '2'],
      ]),
    ).toBe('A         B\n1         2\n');
  });

  test('json, template and table template', () => {
    expect(renderList(columns, rows, { format: 'json' })).toBe(
      '{"ID":"1","Name":"web"}\n{"ID":"a-long-identifier","Name":"db"}\n',
    );
    expect(renderList(columns, rows, { format: '{{.Name}}' })).toBe('web\ndb\n');
    expect(renderList(columns, rows, { format: 'table {{.Name}}\\t{{.ID}}' })).toBe(
      'NAME      ID\nweb       1\ndb        a-long-identifier\n',
    );
  });

  test('a field that rows do not have is refused with the ones they have', () => {
    expect(() => renderList(columns, rows, { format: '{{.Name}} {{.Nope}}' })).toThrow(
      '--format: there is no field "Nope"; the fields are ID, Name',
    );
    // Also where there is nothing to print.
    expect(() => renderList(columns, [], { format: 'table {{.Nope}}' })).toThrow('there is no field "Nope"');
    expect(() => renderList(columns, [], { format: '{{.Name' })).toThrow('an action is not closed by }}');
    expect(renderList(columns, rows, { format: '{{json .}} {{upper .Name}} {{len "a.b"}}' })).toContain('WEB 3');
  });

  test('inspect prints an array, also an empty one', () => {
    expect(renderInspect([], undefined)).toBe('[]\n');
    expect(renderInspect([{ A: 1 }], '{{.A}}')).toBe('1\n');
  });
});

test.each([
  [500, 'Less than a second'],
  [1_000, '1 second'],
  [59_000, '59 seconds'],
  [60_000, 'About a minute'],
  [5 * 60_000, '5 minutes'],
  [3_600_000, 'About an hour'],
  [26 * 3_600_000, '26 hours'],
  [3 * 86_400_000, '3 days'],
])('%d ms is worded as docker does', (ms, text) => {
  expect(span(ms)).toBe(text);
});

describe('convergence', () => {
  const service = serviceDocument('web', 2);
  const task = (Slot: number, State: TaskState, DesiredState: DesiredState, created: number, Err = ''): TaskDocument =>
    taskDocument(`${Slot}-${created}`, {
      Slot,
      DesiredState,
      CreatedAt: timestamp(created),
      Status: { Timestamp: timestamp(created), State, Message: '', Err },
    });

  test('counts running replicas and shows the live task of each slot', () => {
    const progress = convergence(service, [
      task(1, 'running', 'running', 1),
      task(2, 'failed', 'shutdown', 1),
      task(2, 'pending', 'running', 2, 'no suitable node (insufficient resources on 3 nodes)'),
      task(3, 'running', 'remove', 1),
    ]);
    expect(progress).toEqual({
      running: 1,
      wanted: 2,
      slots: [
        { label: '1/2', text: 'running', step: 8 },
        { label: '2/2', text: 'no suitable node (insufficient resources on 3 nodes)' },
      ],
    });
  });
});
