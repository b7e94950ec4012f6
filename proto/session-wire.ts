import { malformed, parseDocument } from './document-check.js';
import type { NodeDescription } from './engine/node-document.js';
import type { AgentMessage as WireAgentMessage, AgentMessage__Output } from './generated/bale/v1/AgentMessage.js';
import type {
  ManagerMessage as WireManagerMessage,
  ManagerMessage__Output,
} from './generated/bale/v1/ManagerMessage.js';
import { checkProtocolVersion } from './protocol-version.js';
import { assignment, endpointTable, meshReport, nodeDescription, taskStatus } from './session-documents.js';
import type { AgentMessage, ManagerMessage } from './session.js';

/**
 * Between the messages of proto/session.ts and those of dispatcher.proto. Reading throws
 * BALE_MESSAGE_MALFORMED naming the part that is wrong.
 */

export function writeAgentMessage(message: AgentMessage): WireAgentMessage {
  switch (message.kind) {
    case 'hello': {
      const { protocolVersion, baleVersion, description, engineError, meshAddr, streams } = message;
      const descriptionJson = JSON.stringify(description);
      return { hello: { protocolVersion, baleVersion, descriptionJson, engineError, meshAddr, streams } };
    }
    case 'heartbeat':
      return { heartbeat: {} };
    case 'condition':
      return {
        condition: { descriptionJson: JSON.stringify(message.description), engineError: message.engineError },
      };
    case 'statuses':
      return {
        statuses: {
          statuses: message.statuses.map(({ taskId, status }) => ({ taskId, statusJson: JSON.stringify(status) })),
        },
      };
    case 'mesh':
      return { mesh: { reportJson: JSON.stringify(message.report) } };
    case 'goodbye':
      return { goodbye: {} };
  }
}

export function readAgentMessage(wire: AgentMessage__Output): AgentMessage {
  const { hello, heartbeat, condition, statuses, mesh, goodbye } = wire;
  if (hello) {
    const { protocolVersion, baleVersion, engineError, meshAddr, streams } = hello;
    const description = readHello(protocolVersion, hello.descriptionJson);
    return { kind: 'hello', protocolVersion, baleVersion, description, engineError, meshAddr, streams };
  }
  if (heartbeat) return { kind: 'heartbeat' };
  if (condition) {
    const description = parseDocument(condition.descriptionJson, nodeDescription, 'condition.description');
    return { kind: 'condition', description, engineError: condition.engineError };
  }
  if (statuses) {
    return {
      kind: 'statuses',
      statuses: statuses.statuses.map(({ taskId, statusJson }) => ({
        taskId,
        status: parseDocument(statusJson, taskStatus, `status of task ${taskId.slice(0, 25)}`),
      })),
    };
  }
  if (mesh) return { kind: 'mesh', report: parseDocument(mesh.reportJson, meshReport, 'mesh.report') };
  if (goodbye) return { kind: 'goodbye' };
  throw malformed('it is of no kind that this version knows');
}

/** A description that this version cannot read may be one of another version: then that is what to say. */
function readHello(protocolVersion: number, descriptionJson: string): NodeDescription {
  try {
    return parseDocument(descriptionJson, nodeDescription, 'hello.description');
  } catch (error) {
    checkProtocolVersion(protocolVersion, 'the node');
    throw error;
  }
}

export function writeManagerMessage(message: ManagerMessage): WireManagerMessage {
  switch (message.kind) {
    case 'welcome': {
      const { clusterId, heartbeatPeriod, trustRoot } = message;
      return { welcome: { clusterId, heartbeatPeriod, trustRoot, managers: [...message.managers] } };
    }
    case 'payloads':
      return { payloads: { payloads: message.payloads.map((payload) => ({ ...payload })) } };
    case 'assignments': {
      const { assignments } = message;
      const setJson = assignments.set.map((item) => JSON.stringify(item));
      const { resultsIn } = assignments;
      switch (assignments.kind) {
        case 'complete':
          return { assignments: { kind: 'COMPLETE', resultsIn, setJson } };
        case 'incremental': {
          const { appliesTo, remove } = assignments;
          return { assignments: { kind: 'INCREMENTAL', appliesTo, resultsIn, setJson, remove: [...remove] } };
        }
      }
    }
    case 'endpoints':
      return { endpoints: { tableJson: JSON.stringify(message.table) } };
    case 'stream-request':
      return { streamRequest: { streamId: message.streamId } };
  }
}

export function readManagerMessage(wire: ManagerMessage__Output): ManagerMessage {
  const { welcome, assignments, endpoints, payloads, streamRequest } = wire;
  if (welcome) {
    const { clusterId, heartbeatPeriod, trustRoot, managers } = welcome;
    return { kind: 'welcome', clusterId, heartbeatPeriod, trustRoot, managers };
  }
  if (assignments) {
    const { appliesTo, resultsIn, remove } = assignments;
    const set = assignments.setJson.map((json) => parseDocument(json, assignment, 'assignment'));
    switch (assignments.kind) {
      case 'COMPLETE':
        return { kind: 'assignments', assignments: { kind: 'complete', resultsIn, set } };
      case 'INCREMENTAL':
        return { kind: 'assignments', assignments: { kind: 'incremental', appliesTo, resultsIn, set, remove } };
    }
  }
  if (payloads) {
    return {
      kind: 'payloads',
      payloads: payloads.payloads.map(({ kind, id, name, data, templated }) => {
        if (kind !== 'secret' && kind !== 'config' && kind !== 'registry-auth') {
          throw malformed('a payload is neither a secret nor a config, nor registry credentials');
        }
        return { kind, id, name, data, templated };
      }),
    };
  }
  if (endpoints) {
    return { kind: 'endpoints', table: parseDocument(endpoints.tableJson, endpointTable, 'endpoint table') };
  }
  if (streamRequest) return { kind: 'stream-request', streamId: streamRequest.streamId };
  throw malformed('it is of no kind that this version knows');
}
