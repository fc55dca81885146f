/** The connection to a broker, as the end of the process needs it. */
export interface Bridge {
  /** Resolves when the messages that were read are published, or after this time. Publications still leave. */
  stopReading(withinMs: number): Promise<void>;
  close(): Promise<void>;
}
