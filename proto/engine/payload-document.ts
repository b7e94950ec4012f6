import type { ObjectMeta } from './object-meta.js';

/** A secret's or a config's spec as it is kept: the data is kept apart from it. */
export interface PayloadSpec {
  Name: string;
  Labels: Record<string, string>;
  /** The data is a template, expanded for each task. */
  Templating?: TemplatingDriver;
}

export interface TemplatingDriver {
  Name: string;
  Options?: Record<string, string>;
}

/** The body of `/secrets/create`, `/configs/create` and their updates. */
export interface PayloadRequest extends PayloadSpec {
  /** base64. */
  Data?: string;
  Driver?: Record<string, unknown>;
}

/** An element of `GET /secrets` or `GET /configs`. */
export interface PayloadDocument extends ObjectMeta {
  /** `Data` (base64) is shown of configs only. */
  Spec: PayloadSpec & { Data?: string };
  /** bale's own: counts the data that was given under this name, from 1. */
  dataVersion: number;
}

/** bale's own: an element of `GET /bale/secrets/{id}/versions`. */
export interface PayloadVersionDocument {
  ID: string;
  dataVersion: number;
  /** RFC 3339. */
  CreatedAt: string;
  /** Services whose spec refers to this version. */
  services: string[];
}

/** bale's own: the answer to `POST /bale/secrets/{id}/rotate`. */
export interface RotationDocument {
  ID: string;
  dataVersion: number;
  /** Names of the services that are rolled to the new version. */
  services: string[];
}
