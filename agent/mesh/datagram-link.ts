/** The way of one client's datagrams to one endpoint. */
export interface DatagramLink {
  /** Never waits: what cannot be sent on now is dropped, as a network does. */
  send(datagram: Buffer): void;
  /** No event comes after it. */
  close(): void;
}

/** What a link tells. No event comes before the call that opened it has returned. */
export interface LinkEvents {
  onDatagram(datagram: Buffer): void;
  /** The endpoint is not there: what it has not answered was not delivered. The link is closed. */
  onRefused(): void;
  /** Open another link for what is new. Answers to what was sent may still come until `close`. */
  onEnding(): void;
}

/** Bytes that may wait to be sent in one place; what comes on top is dropped. */
export const MOST_WAITING_BYTES = 1024 * 1024;

/** What a datagram that waits takes beside its bytes, roughly; so that empty ones are bounded too. */
export const DATAGRAM_OVERHEAD = 256;

/** Clients that one published port serves at once, and sessions that one tunnel carries. */
export const MOST_SESSIONS = 8_192;
