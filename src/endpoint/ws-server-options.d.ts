/** Options of `ws` 8.22 and later that @types/ws does not know yet. */
declare module 'ws' {
  interface ServerOptions {
    /** Milliseconds to wait for the peer's close frame before the socket is destroyed. */
    closeTimeout?: number | undefined;
    /** Most frames of one message; 0: no limit. */
    maxFragments?: number | undefined;
    /** Most reads of one frame; 0: no limit. */
    maxBufferedChunks?: number | undefined;
  }
}

export {};
