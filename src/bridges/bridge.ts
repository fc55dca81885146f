/** The connection to a broker, as the end of the process needs it. */
export interface Bridge {
  /** Resolves when the messages that were read are published, or soon after. Publications still leave. */
  stopReading(): Promise<void>;
  close(): Promise<void>;
}
